create type mood as enum ('sad', 'happy');
create domain zip as text check (value ~ '^[0-9]{5}$');
create table types (
    day date, mood mood, zip zip, rate double precision, price money, doc jsonb, tags text[], code char(5), number numeric(10, 0)
);
insert into types values ('2024-03-05', 'sad', '12345', 0.1, 12.50, '{}', '{a,b}', 'AA', 7);
