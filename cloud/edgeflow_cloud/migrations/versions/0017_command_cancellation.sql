-- Somebody wanted a command back that was on its way already: it is never sent again, and what the device says counts.
alter table commands add column cancel_requested_at timestamptz;
