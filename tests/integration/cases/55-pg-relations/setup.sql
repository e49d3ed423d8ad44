create table "Mixed" ("Id" int, "My Col" text, g int generated always as ("Id" * 2) stored);
insert into "Mixed" values (1, null), (2, '');
create table days (day date, v int) partition by range (day);
create table days_of_2024 partition of days for values from ('2024-01-01') to ('2025-01-01');
insert into days values ('2024-03-05', 1);
create materialized view seen as select * from days;
