create table days (day date);
insert into days values ('2024-03-05');
create table rls (id int primary key, store text);
insert into rls values (1, 'AA'), (2, 'BB'), (3, 'CC');
alter table rls enable row level security;
create policy shown on rls using (store = 'AA');
