-- The data dictionary: four tables, their keys and their checks. DuckDB refuses whatever breaks them.
-- Scores are fractions of one, losses nats per token, sizes plain numbers, dates ISO.

create table quantity (
    quantity_id varchar primary key,                      -- one measured quantity under one protocol
    title varchar not null,                               -- as a person says it
    kind varchar not null check (kind in ('benchmark', 'loss', 'size', 'budget', 'index')),
    unit varchar not null,                                -- fraction, nats_per_token, tokens, ...
    lower double not null,                                -- smallest possible (or plausible) value
    upper double not null check (upper > lower),          -- largest possible (or plausible) value
    chance double check (chance between lower and upper), -- what guessing scores; empty where there is no such thing
    direction varchar not null check (direction in ('higher', 'lower', 'none')),
    items bigint check (items > 0),                       -- number of test items, where known
    protocol varchar not null,                            -- harness, shots, answer extraction
    reference varchar not null,                           -- the paper or page that defines it
    resolver varchar not null                             -- the source whose value resolves forecasts
);

create table model (
    model_id varchar primary key check (regexp_full_match(model_id, '[a-z0-9][a-z0-9._/-]{0,127}')),
    family varchar not null,                              -- models of one family are not independent: they resample together
    organisation varchar not null,
    released_on date,                                     -- first public day; empty where no source was found
    released_precision varchar check (released_precision in ('day', 'month')),
    release_source varchar,                               -- the document the date was read from
    params_total double,
    params_active double,                                 -- parameters used for one token; differs for mixtures of experts
    training_tokens double,
    training_flops double,
    kind varchar not null check (kind in ('base', 'instruct', 'reasoning', 'code')),
    notes varchar,
    line varchar,                                         -- product line of the maker, across versions; empty where nobody said
    tier varchar,                                         -- place among its siblings: opus, mini, 70b; plain where the name has none
    release varchar,                                      -- one launch of one maker: sizes, tiers, previews, web apps together
    line_source varchar check (line_source in ('rule', 'confirmed')),
    open_weights varchar check (open_weights in ('yes', 'no')), -- whether its weights can be downloaded; empty where nobody said
    check ((released_on is null) = (release_source is null)),
    check ((released_on is null) = (released_precision is null))
);

create table subject (
    subject_id varchar primary key check (regexp_full_match(subject_id, '[a-z0-9][a-z0-9._/-]{0,127}')),
    kind varchar not null check (kind in ('model', 'checkpoint', 'run')),
    model_id varchar references model (model_id),         -- set for models only
    run varchar not null,                                 -- checkpoints of one run are not independent
    family varchar not null,
    released_on date
);

create table observation (
    subject_id varchar not null references subject (subject_id),
    quantity_id varchar not null references quantity (quantity_id),
    setting varchar not null,                             -- shots, effort, scaffold; '' where the protocol says it all
    source_id varchar not null,
    known_on date not null,                               -- first day the value was public
    value double not null check (isfinite(value)),
    stderr double check (stderr >= 0),
    n bigint check (n > 0),
    recorded_on date not null,                            -- the day this registry took it
    status varchar not null check (status in ('reported', 'revised', 'withdrawn', 'suspect')),
    note varchar,
    primary key (subject_id, quantity_id, setting, source_id, known_on),
    check (recorded_on >= known_on)
);

-- Every value with the days on which it stood: from `known_on` until the day before `superseded_on`, when the next row of its key
-- became known. Withdrawn and suspect values do not count; only rows of a quantity's resolver resolve forecasts.
create view history as
select
    observation.subject_id,
    observation.quantity_id,
    observation.setting,
    observation.source_id,
    observation.known_on,
    lead(observation.known_on) over (
        partition by observation.subject_id, observation.quantity_id, observation.setting, observation.source_id
        order by observation.known_on
    ) as superseded_on,
    observation.value,
    observation.status in ('reported', 'revised') as counts,
    quantity.resolver = observation.source_id as resolves,
    subject.kind,
    subject.run,
    subject.family,
    subject.released_on
from observation
inner join subject on subject.subject_id = observation.subject_id
inner join quantity on quantity.quantity_id = observation.quantity_id;

-- What was known on a day: of each value the last row known on or before it. This is the only way training rows are chosen.
create macro observation_as_of(day) as table
select subject_id, quantity_id, setting, source_id, known_on, value, kind, run, family, released_on
from history
where known_on <= day and (superseded_on is null or superseded_on > day) and counts
order by all;
