create table days (day date);
insert into days values ('2024-03-05');
create function answer() returns int language plpgsql as $$
begin
    raise exception using errcode = '40001', message = 'canceling statement due to conflict with recovery';
end $$;
create view answers as select answer() as answer;
grant execute on function answer() to source_reader;
