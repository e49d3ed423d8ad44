create table days (day date);
insert into days values ('2024-03-05');
create table numbers (a int, b int);
insert into numbers values (1, 1), (1, 0);
create view ratios as select a / b as ratio from numbers;
