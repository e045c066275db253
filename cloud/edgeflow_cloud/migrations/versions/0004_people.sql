-- People, the organizations they belong to, and their sessions.

-- An organization is the tenant: its id is everybody else's tenant_id. Slugs are unique over the whole instance.
create table organizations (
    tenant_id uuid primary key,
    name text not null check (length(name) between 1 and 120),
    slug text not null check (slug ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
    plan text not null,
    settings jsonb not null default '{}' check (jsonb_typeof(settings) = 'object'),
    metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
    version bigint not null default 1,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create unique index organizations_slug on organizations (slug);
select secure_tenant_table('organizations');

-- A person may belong to several organizations, so a user is no tenant's row. E-mail is ASCII (checked at the edge),
-- so lower() means the same here and in Python.
create table users (
    id uuid primary key,
    email text not null check (email ~ '^[!-~]+@[!-~]+$' and length(email) <= 254),
    first_name text not null check (length(first_name) <= 100),
    last_name text not null check (length(last_name) <= 100),
    password_hash text not null,
    password_changed_at timestamptz not null,
    email_verified_at timestamptz,
    terms_accepted_at timestamptz,
    newsletter_accepted_at timestamptz,
    locale text,
    timezone text,
    version bigint not null default 1,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create unique index users_email on users (lower(email));

-- Who belongs where, as what. `extra_permissions` are the published four that a member may be given beside the role.
create table members (
    tenant_id uuid not null references organizations (tenant_id) on delete cascade,
    user_id uuid not null references users (id) on delete cascade,
    role text not null check (role in ('owner', 'admin', 'member', 'viewer')),
    extra_permissions text[] not null default '{}'
        check (extra_permissions <@ array['users:manage', 'devices:manage', 'flows:manage', 'resources:delete']),
    joined_at timestamptz not null,
    primary key (tenant_id, user_id)
);
create index members_user on members (user_id);
create index members_joined on members (tenant_id, joined_at, user_id);
select secure_tenant_table('members');

-- Users under row-level security: within an organization one sees its members and nobody else, and nobody's hash.
-- The app may add a user (registration) and change a fellow member; only the lookup below reads a hash.
alter table users enable row level security;
alter table users force row level security;
create policy fellows_seen on users for select to edgeflow_app using (
    exists (select from members m where m.tenant_id = current_tenant() and m.user_id = users.id)
);
create policy fellows_changed on users for update to edgeflow_app using (
    exists (select from members m where m.tenant_id = current_tenant() and m.user_id = users.id)
) with check (true);
create policy arrivals on users for insert to edgeflow_app with check (current_tenant() is not null);
create policy platform on users to edgeflow_system using (true) with check (true);
grant select (
    id, email, first_name, last_name, password_changed_at, email_verified_at, terms_accepted_at,
    newsletter_accepted_at, locale, timezone, version, created_at, updated_at
), insert, update (
    first_name, last_name, password_hash, password_changed_at, locale, timezone, version, updated_at
) on users to edgeflow_app;
grant select, insert, update, delete on users to edgeflow_system;

-- A session is one log-in of one person into one organization. Tokens are never stored: `generation` counts the
-- rotations, and each refresh token is derived from `seed`, the generation and a key that the database does not have.
-- It hangs on the membership: who is removed from an organization has no session there.
create table sessions (
    tenant_id uuid not null,
    id uuid not null,
    user_id uuid not null,
    seed bytea not null check (length(seed) = 32),
    generation integer not null default 1,
    rotated_at timestamptz not null,
    expires_at timestamptz not null,
    ended_at timestamptz,
    end_reason text,
    ip_address text,
    user_agent text,
    created_at timestamptz not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, user_id) references members (tenant_id, user_id) on delete cascade
);
create index sessions_user on sessions (user_id) where ended_at is null;
create index sessions_member on sessions (tenant_id, user_id);
create index sessions_over on sessions (coalesce(ended_at, expires_at));
select secure_tenant_table('sessions');

-- Before anyone is known: the id and hash behind one address, and the hash of one user.
create function find_user_by_email(wanted text) returns table (user_id uuid, password_hash text)
language sql stable security definer set search_path = pg_catalog, public
as $$
    select u.id, u.password_hash from users u where lower(u.email) = lower(wanted)
$$;
select secure_lookup('find_user_by_email(text)');

create function find_user_by_id(wanted uuid) returns table (user_id uuid, password_hash text)
language sql stable security definer set search_path = pg_catalog, public
as $$
    select u.id, u.password_hash from users u where u.id = wanted
$$;
select secure_lookup('find_user_by_id(uuid)');

-- Is anybody here yet? The first start makes an owner only on an empty instance.
create function any_user_exists() returns boolean
language sql stable security definer set search_path = pg_catalog, public
as $$
    select exists (select from users)
$$;
select secure_lookup('any_user_exists()');

-- The organizations of one user, the oldest membership first.
create function find_organizations_of_user(wanted uuid) returns table (
    tenant_id uuid, role text, name text, slug text, plan text, settings jsonb, metadata jsonb,
    version bigint, created_at timestamptz, updated_at timestamptz
)
language sql stable security definer set search_path = pg_catalog, public
as $$
    select o.tenant_id, m.role, o.name, o.slug, o.plan, o.settings, o.metadata, o.version, o.created_at, o.updated_at
    from members m join organizations o on o.tenant_id = m.tenant_id
    where m.user_id = wanted
    order by m.joined_at, m.tenant_id
$$;
select secure_lookup('find_organizations_of_user(uuid)');

-- A changed password ends a person's sessions in every organization, but for the one that changed it.
create function end_sessions_of_user(wanted uuid, kept uuid, at timestamptz, reason text)
returns table (session_id uuid)
language sql volatile security definer set search_path = pg_catalog, public
as $$
    update sessions s set ended_at = at, end_reason = reason
    where s.user_id = wanted and s.id is distinct from kept and s.ended_at is null
    returning s.id
$$;
select secure_lookup('end_sessions_of_user(uuid, uuid, timestamptz, text)');
