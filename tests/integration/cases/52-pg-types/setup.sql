create table days (day date);
insert into days values ('2024-03-05');
create type mood as enum ('sad', 'happy');
create domain zip as text check (value ~ '^[0-9]{5}$');
create table types (mood mood, zip zip, rate double precision, price money, doc jsonb, tags text[]);
insert into types values ('sad', '12345', 0.1, 12.50, '{}', '{a,b}');
