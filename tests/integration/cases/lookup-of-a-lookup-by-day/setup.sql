create table prices (product text, first_on date, last_on date, price numeric(9, 2));
insert into prices values
    ('P1', '2024-01-01', '2024-03-04', 1.00), ('P1', '2024-03-05', null, 2.00),
    ('P2', '2024-01-01', '2024-03-05', 3.00), ('P2', '2024-03-06', null, 4.00),
    ('P3', '2024-04-01', null, 5.00);
create table suppliers (id int primary key, nation text);
insert into suppliers values (1, 'ES'), (2, 'JP'), (3, 'XX');
create table nations (code text primary key, name text, region int);
insert into nations values ('ES', 'Spain', 10), ('FR', 'France', 10), ('JP', 'Japan', 20);
create table regions (region int primary key, region_name text);
insert into regions values (10, 'Europe'), (20, 'Asia');
