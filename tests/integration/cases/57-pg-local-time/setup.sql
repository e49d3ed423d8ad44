create table times (day date, at timestamp, v int);
insert into times values
    ('2024-11-03', '2024-11-03 01:30', 1),
    ('2024-11-03', '2024-11-03 01:30', 1);
