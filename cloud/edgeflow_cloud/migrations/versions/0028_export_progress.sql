-- An archive with measurements can take long: how much of it is written, in percent, and how many rows are in it.
alter table organization_exports
    -- squawk-ignore prefer-bigint-over-smallint
    add column progress smallint not null default 0,
    add column rows bigint not null default 0;
update organization_exports set progress = 100 where state = 'done';
