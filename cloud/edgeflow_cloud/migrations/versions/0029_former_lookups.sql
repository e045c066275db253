-- Only the release before would call these, and there is none: nobody owns a function that no program calls.
drop function use_api_key(bytea, timestamptz, inet);
drop function use_api_key(bytea, timestamptz);
