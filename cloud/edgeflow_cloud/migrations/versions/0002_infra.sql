-- Events wait here from the transaction of their change until the relay has handed them on.
-- `changed` is what a looking person should fetch again; `relayed_at` is null while the event waits.
create table outbox (
    tenant_id uuid not null,
    id bigint generated always as identity,
    event_id uuid not null,
    name text not null,
    version integer not null,
    payload jsonb not null,
    changed text[] not null default '{}',
    occurred_at timestamptz not null default clock_timestamp(),
    relayed_at timestamptz,
    primary key (tenant_id, id)
);
create index outbox_waiting on outbox (id) where relayed_at is null;
create index outbox_relayed on outbox (relayed_at) where relayed_at is not null;
alter table outbox set (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000);
select secure_tenant_table('outbox');
-- People's transactions announce and nothing else.
revoke select, update, delete on outbox from edgeflow_app;

-- pgqueuer's own tables are in the schema `jobs` already: the revision has its installer make them.
alter table jobs.pgqueuer set (
    autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000, fillfactor = 70
);

-- Every run of a job, written and committed before its body starts: a run that kills its worker is counted too.
-- A job that succeeds takes its rows with it; what stays belongs to jobs that failed.
create table jobs.attempts (
    job_id bigint not null,
    attempt integer not null,
    worker text not null,
    started_at timestamptz not null default clock_timestamp(),
    failed_at timestamptz,
    error text,
    primary key (job_id, attempt)
);
create index attempts_started on jobs.attempts (started_at);

-- When each schedule is due next. `rule` is what `next_run_at` was computed from.
create table jobs.schedules (
    name text primary key,
    rule text not null,
    next_run_at timestamptz not null,
    last_run_at timestamptz
);

grant usage on schema jobs to edgeflow_app, edgeflow_system;
grant select, insert, update, delete on all tables in schema jobs to edgeflow_system;
grant usage on all sequences in schema jobs to edgeflow_app, edgeflow_system;
-- People's transactions may add a job, and read no payload of anybody's.
grant insert on jobs.pgqueuer, jobs.pgqueuer_log to edgeflow_app;
grant select (id, entrypoint, priority, dedupe_key, status) on jobs.pgqueuer to edgeflow_app;


-- What a creation with an `Idempotency-Key` was answered; written in the creation's own transaction.
create table idempotency_keys (
    tenant_id uuid not null,
    caller text not null,
    key text not null,
    fingerprint bytea not null,
    status integer,
    body bytea,
    created_at timestamptz not null default now(),
    primary key (tenant_id, caller, key)
);
create index idempotency_keys_by_age on idempotency_keys (created_at);
select secure_tenant_table('idempotency_keys');
