-- What becomes of a subscription after its first term: renewals counted from the anchor, trials, pauses, changes of plan,
-- disputes, and readers without a card or mandate.

alter table billing.subscriptions
  -- Since the anchor: the next term begins so many months behind it.
  add column months_paid integer not null default 0 check (months_paid >= 0),
  -- The number of the next term.
  add column next_seq integer not null default 0 check (next_seq >= 0),
  add column trial_ends_on date,
  -- Paid days that wait, and the day on which they go on.
  add column banked_days integer check (banked_days >= 0),
  add column resumes_on date,
  add column pending_plan text references billing.plans,
  add column pending_months integer check (pending_months > 0),
  add column is_disputed boolean not null default false,
  add column needs_method boolean not null default false,
  drop constraint subscriptions_check;

update billing.subscriptions set months_paid = months, next_seq = 1 where anchor_on is not null;

alter table billing.subscriptions
  add check (state not in ('active', 'paused') or anchor_on is not null),
  add check ((next_seq = 0) = (anchor_on is null)),
  add check ((state = 'paused') = (resumes_on is not null)),
  add check ((banked_days is null) = (resumes_on is null)),
  add check ((pending_plan is null) = (pending_months is null)),
  add check (state <> 'trialing' or trial_ends_on is not null);
