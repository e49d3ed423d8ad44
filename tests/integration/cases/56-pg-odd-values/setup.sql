create table days (day date);
insert into days values ('2024-03-05');
create table odd (n numeric, t timestamptz, d date, s text);
insert into odd values
    ('NaN', 'infinity', '0044-03-15 BC', E'a\tb'),
    (1, '-infinity', 'infinity', 'x'),
    ('1e3', '2024-03-05 10:00+05:30', '2024-03-05', E'\\N'),
    (null, null, null, 'NULL');
