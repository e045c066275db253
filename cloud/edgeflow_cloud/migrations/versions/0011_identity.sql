-- Identity, second part: mails, proof of a mail address, MFA, and what the list of sessions shows.

-- Mails of the instance. The text is sealed by the cloud's master key and goes once it is sent. A person's transaction
-- may add one and reads none.
create table mails (
    id uuid primary key,
    kind text not null,
    recipient text not null,
    sealed bytea,
    state text not null check (state in ('waiting', 'sent', 'kept', 'refused', 'late')),
    error text,
    good_until timestamptz not null,
    created_at timestamptz not null,
    ended_at timestamptz
);
create index mails_created on mails (created_at);
grant insert on mails to edgeflow_app;
grant select, insert, update, delete on mails to edgeflow_system;

-- One-use links that prove a mail address: to verify it, or to set a new password. Only the token's hash is kept.
-- People's transactions reach them through the functions below alone.
create table mail_links (
    token_hash bytea primary key check (length(token_hash) = 32),
    user_id uuid not null references users (id) on delete cascade,
    purpose text not null check (purpose in ('verify_email', 'reset_password')),
    created_at timestamptz not null,
    expires_at timestamptz not null,
    used_at timestamptz
);
create index mail_links_user on mail_links (user_id);
create index mail_links_expired on mail_links (expires_at);
grant select, insert, update, delete on mail_links to edgeflow_system;

-- Whose good link this is. It stays good.
create function find_mail_link(wanted bytea, wanted_purpose text, at timestamptz)
returns table (user_id uuid, email text)
language sql stable security definer set search_path = pg_catalog, public
as $$
    select u.id, u.email
    from mail_links l join users u on u.id = l.user_id
    where l.token_hash = wanted and l.purpose = wanted_purpose and l.used_at is null and l.expires_at > at
$$;
select secure_lookup('find_mail_link(bytea, text, timestamptz)');

-- Use a good link: of any number of callers one gets the row. It proves the address, whatever it was sent for, and
-- takes the person's other links of its purpose with it. `was_verified` is what held before.
create function use_mail_link(wanted bytea, wanted_purpose text, at timestamptz)
returns table (user_id uuid, was_verified boolean)
language sql volatile security definer set search_path = pg_catalog, public
as $$
    with used as (
        update mail_links l set used_at = at
        where l.token_hash = wanted and l.purpose = wanted_purpose and l.used_at is null and l.expires_at > at
        returning l.user_id
    ), others as (
        update mail_links l set used_at = at
        from used
        where l.user_id = used.user_id and l.purpose = wanted_purpose and l.used_at is null
            and l.token_hash <> wanted
    ), proven as (
        update users u set email_verified_at = at
        from used
        where u.id = used.user_id and u.email_verified_at is null
    )
    select u.id, u.email_verified_at is not null
    from used join users u on u.id = used.user_id
$$;
select secure_lookup('use_mail_link(bytea, text, timestamptz)');

-- MFA. The seed is sealed; `last_step` is the newest 30 seconds whose code was taken, so that none is taken twice.
alter table users add column mfa_enabled_at timestamptz;
grant select (mfa_enabled_at), update (mfa_enabled_at) on users to edgeflow_app;

create table totp_seeds (
    user_id uuid primary key references users (id) on delete cascade,
    sealed bytea not null,
    last_step bigint not null default 0,
    created_at timestamptz not null,
    confirmed_at timestamptz
);
create table recovery_codes (
    user_id uuid not null references users (id) on delete cascade,
    code_hash bytea not null check (length(code_hash) = 32),
    created_at timestamptz not null,
    used_at timestamptz,
    primary key (user_id, code_hash)
);

-- As for users: within an organization one reaches its members' rows and nobody else's.
alter table totp_seeds enable row level security;
alter table totp_seeds force row level security;
create policy fellows on totp_seeds to edgeflow_app using (
    exists (select from members m where m.tenant_id = current_tenant() and m.user_id = totp_seeds.user_id)
);
create policy platform on totp_seeds to edgeflow_system using (true) with check (true);
grant select, insert, update, delete on totp_seeds to edgeflow_app, edgeflow_system;

alter table recovery_codes enable row level security;
alter table recovery_codes force row level security;
create policy fellows on recovery_codes to edgeflow_app using (
    exists (select from members m where m.tenant_id = current_tenant() and m.user_id = recovery_codes.user_id)
);
create policy platform on recovery_codes to edgeflow_system using (true) with check (true);
grant select, insert, update, delete on recovery_codes to edgeflow_app, edgeflow_system;

-- Sessions say when they were last seen, and end for a reason.
alter table sessions add column last_seen_at timestamptz;

-- A person's living sessions, in every organization.
create function find_sessions_of_user(wanted uuid, at timestamptz) returns table (
    session_id uuid, tenant_id uuid, organization_name text, ip_address text, user_agent text,
    created_at timestamptz, last_seen_at timestamptz, expires_at timestamptz
)
language sql stable security definer set search_path = pg_catalog, public
as $$
    select s.id, s.tenant_id, o.name, s.ip_address, s.user_agent,
        s.created_at, coalesce(s.last_seen_at, s.rotated_at), s.expires_at
    from sessions s join organizations o on o.tenant_id = s.tenant_id
    where s.user_id = wanted and s.ended_at is null and s.expires_at > at
    order by coalesce(s.last_seen_at, s.rotated_at) desc, s.id
$$;
select secure_lookup('find_sessions_of_user(uuid, timestamptz)');

-- End one of a person's sessions, whichever organization it is in.
create function end_session_of_user(wanted_user uuid, wanted_session uuid, at timestamptz, reason text)
returns table (session_id uuid)
language sql volatile security definer set search_path = pg_catalog, public
as $$
    update sessions s set ended_at = at, end_reason = reason
    where s.user_id = wanted_user and s.id = wanted_session and s.ended_at is null and s.expires_at > at
    returning s.id
$$;
select secure_lookup('end_session_of_user(uuid, uuid, timestamptz, text)');
