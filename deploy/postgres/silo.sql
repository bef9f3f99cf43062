-- Silo's tables in PostgreSQL (12 or later): grain state, reminders, membership, and the queries that the hosts ask.
--   psql -v ON_ERROR_STOP=1 -f deploy/postgres/silo.sql "$CONNECTION"
-- May be run again at any time, hosts running: tables that are there stay, queries become the ones below.
-- Orleans' ADO.NET providers (10.4) read their queries from OrleansQuery. Its columns, the keys, and the names and types
-- of parameters and results are theirs; tables and queries are ours.
BEGIN;

DO $$
BEGIN
  IF to_regclass('orleansstorage') IS NOT NULL THEN
    RAISE EXCEPTION 'this database has the tables of Orleans'' own scripts: Silo needs one without them, or their queries would change under whoever uses them';
  END IF;
END
$$;

CREATE TABLE IF NOT EXISTS OrleansQuery (
  QueryKey text PRIMARY KEY,
  QueryText text NOT NULL
);

-- A grain's key is either text or two numbers. One row per state of a grain: of two first writes at the same time one
-- must lose, so the key is unique. No bounds on text: keys are bounded by Silo, and escaped ids grow.
CREATE TABLE IF NOT EXISTS silo_state (
  service text NOT NULL,
  state text NOT NULL,
  key text NOT NULL,
  n0 bigint NOT NULL,
  n1 bigint NOT NULL,
  version integer NOT NULL,
  payload bytea,
  written timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (service, state, key, n0, n1)
);
-- Long payloads come compressed.
ALTER TABLE silo_state ALTER COLUMN payload SET STORAGE EXTERNAL;

CREATE TABLE IF NOT EXISTS silo_reminder (
  service text NOT NULL,
  grain text NOT NULL,
  name text NOT NULL,
  hash integer NOT NULL,
  start timestamptz NOT NULL,
  period bigint NOT NULL,
  version integer NOT NULL,
  PRIMARY KEY (service, grain, name)
);
CREATE INDEX IF NOT EXISTS silo_reminder_hash ON silo_reminder (service, hash);

-- The version of a cluster's membership changes with every host that comes, goes, or is suspected.
CREATE TABLE IF NOT EXISTS silo_cluster (
  cluster text PRIMARY KEY,
  version integer NOT NULL DEFAULT 0,
  changed timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS silo_host (
  cluster text NOT NULL REFERENCES silo_cluster,
  address text NOT NULL,
  port integer NOT NULL,
  generation integer NOT NULL,
  name text NOT NULL,
  machine text NOT NULL,
  status integer NOT NULL,
  gateway integer NOT NULL,
  suspected text,
  started timestamptz NOT NULL,
  alive timestamptz NOT NULL,
  PRIMARY KEY (cluster, address, port, generation)
);

INSERT INTO OrleansQuery (QueryKey, QueryText) VALUES

-- State ---------------------------------------------------------------------------------------------------------------
('ReadFromStorageKey', $query$
SELECT payload AS PayloadBinary, version AS Version FROM silo_state
WHERE service = @ServiceId AND state = @GrainTypeString AND key = coalesce(@GrainIdExtensionString, '') AND n0 = @GrainIdN0 AND n1 = @GrainIdN1
$query$),

-- No version: the grain has read that there is nothing. No row in the answer is a conflict.
('WriteToStorageKey', $query$
WITH changed AS (
  UPDATE silo_state SET payload = @PayloadBinary, version = version + 1, written = now()
  WHERE service = @ServiceId AND state = @GrainTypeString AND key = coalesce(@GrainIdExtensionString, '') AND n0 = @GrainIdN0 AND n1 = @GrainIdN1
    AND version = @GrainStateVersion
  RETURNING version
), made AS (
  INSERT INTO silo_state (service, state, key, n0, n1, version, payload)
  SELECT @ServiceId, @GrainTypeString, coalesce(@GrainIdExtensionString, ''), @GrainIdN0, @GrainIdN1, 1, @PayloadBinary
  WHERE @GrainStateVersion IS NULL
  ON CONFLICT DO NOTHING
  RETURNING version
)
SELECT version AS NewGrainStateVersion FROM changed UNION ALL SELECT version FROM made
$query$),

('ClearStorageKey', $query$
UPDATE silo_state SET payload = NULL, version = version + 1, written = now()
WHERE service = @ServiceId AND state = @GrainTypeString AND key = coalesce(@GrainIdExtensionString, '') AND n0 = @GrainIdN0 AND n1 = @GrainIdN1
  AND version = @GrainStateVersion
RETURNING version AS NewGrainStateVersion
$query$),
-- The answer is the version that a next write would have had.
('DeleteStorageKey', $query$
DELETE FROM silo_state
WHERE service = @ServiceId AND state = @GrainTypeString AND key = coalesce(@GrainIdExtensionString, '') AND n0 = @GrainIdN0 AND n1 = @GrainIdN1
  AND version = @GrainStateVersion
RETURNING version + 1 AS NewGrainStateVersion
$query$),

-- Reminders -----------------------------------------------------------------------------------------------------------
('ReadReminderRowKey', $query$
SELECT grain AS GrainId, name AS ReminderName, start AS StartTime, period AS Period, version AS Version FROM silo_reminder
WHERE service = @ServiceId AND grain = @GrainId AND name = @ReminderName
$query$),
('ReadReminderRowsKey', $query$
SELECT grain AS GrainId, name AS ReminderName, start AS StartTime, period AS Period, version AS Version FROM silo_reminder
WHERE service = @ServiceId AND grain = @GrainId
$query$),
-- The ring of hashes is asked for in arcs: one that does not pass its end, and one that does.
('ReadRangeRows1Key', $query$
SELECT grain AS GrainId, name AS ReminderName, start AS StartTime, period AS Period, version AS Version FROM silo_reminder
WHERE service = @ServiceId AND hash > @BeginHash AND hash <= @EndHash
$query$),
('ReadRangeRows2Key', $query$
SELECT grain AS GrainId, name AS ReminderName, start AS StartTime, period AS Period, version AS Version FROM silo_reminder
WHERE service = @ServiceId AND (hash > @BeginHash OR hash <= @EndHash)
$query$),
('UpsertReminderRowKey', $query$
INSERT INTO silo_reminder AS known (service, grain, name, hash, start, period, version)
VALUES (@ServiceId, @GrainId, @ReminderName, @GrainHash, @StartTime, @Period, 0)
ON CONFLICT (service, grain, name) DO UPDATE
SET hash = excluded.hash, start = excluded.start, period = excluded.period, version = known.version + 1
RETURNING version AS Version
$query$),
('DeleteReminderRowKey', $query$
WITH gone AS (
  DELETE FROM silo_reminder WHERE service = @ServiceId AND grain = @GrainId AND name = @ReminderName AND version = @Version RETURNING 1
)
SELECT EXISTS (SELECT FROM gone)
$query$),
('DeleteReminderRowsKey', $query$
DELETE FROM silo_reminder WHERE service = @ServiceId
$query$),

-- Membership: a host's row and the cluster's version change together, and only from the version that was read. ----------
('InsertMembershipVersionKey', $query$
WITH made AS (INSERT INTO silo_cluster (cluster) VALUES (@DeploymentId) ON CONFLICT DO NOTHING RETURNING 1)
SELECT EXISTS (SELECT FROM made)
$query$),
('InsertMembershipKey', $query$
WITH changed AS (
  UPDATE silo_cluster SET version = version + 1, changed = now()
  WHERE cluster = @DeploymentId AND version = @Version
    AND NOT EXISTS (SELECT FROM silo_host h WHERE h.cluster = @DeploymentId AND h.address = @Address AND h.port = @Port AND h.generation = @Generation)
  RETURNING cluster
), made AS (
  INSERT INTO silo_host (cluster, address, port, generation, name, machine, status, gateway, started, alive)
  SELECT cluster, @Address, @Port, @Generation, @SiloName, @HostName, @Status, @ProxyPort, @StartTime, @IAmAliveTime FROM changed
  RETURNING 1
)
SELECT EXISTS (SELECT FROM made)
$query$),
('UpdateMembershipKey', $query$
WITH changed AS (
  UPDATE silo_cluster SET version = version + 1, changed = now()
  WHERE cluster = @DeploymentId AND version = @Version
    AND EXISTS (SELECT FROM silo_host h WHERE h.cluster = @DeploymentId AND h.address = @Address AND h.port = @Port AND h.generation = @Generation)
  RETURNING cluster
), told AS (
  UPDATE silo_host h SET status = @Status, suspected = @SuspectTimes, alive = @IAmAliveTime
  FROM changed WHERE h.cluster = changed.cluster AND h.address = @Address AND h.port = @Port AND h.generation = @Generation
  RETURNING 1
)
SELECT EXISTS (SELECT FROM told)
$query$),
('UpdateIAmAlivetimeKey', $query$
UPDATE silo_host SET alive = @IAmAliveTime
WHERE cluster = @DeploymentId AND address = @Address AND port = @Port AND generation = @Generation
$query$),
-- A cluster without hosts still has a version.
('MembershipReadRowKey', $query$
SELECT h.address AS Address, h.port AS Port, h.generation AS Generation, h.name AS SiloName, h.machine AS HostName, h.status AS Status,
  h.gateway AS ProxyPort, h.suspected AS SuspectTimes, h.started AS StartTime, h.alive AS IAmAliveTime, c.version AS Version
FROM silo_cluster c LEFT JOIN silo_host h ON h.cluster = c.cluster AND h.address = @Address AND h.port = @Port AND h.generation = @Generation
WHERE c.cluster = @DeploymentId
$query$),
('MembershipReadAllKey', $query$
SELECT h.address AS Address, h.port AS Port, h.generation AS Generation, h.name AS SiloName, h.machine AS HostName, h.status AS Status,
  h.gateway AS ProxyPort, h.suspected AS SuspectTimes, h.started AS StartTime, h.alive AS IAmAliveTime, c.version AS Version
FROM silo_cluster c LEFT JOIN silo_host h ON h.cluster = c.cluster
WHERE c.cluster = @DeploymentId
$query$),
('GatewaysQueryKey', $query$
SELECT address AS Address, gateway AS ProxyPort, generation AS Generation FROM silo_host
WHERE cluster = @DeploymentId AND status = @Status AND gateway > 0
$query$),
-- 3 is active. A host that is neither active nor heard of is gone.
('CleanupDefunctSiloEntriesKey', $query$
DELETE FROM silo_host WHERE cluster = @DeploymentId AND status <> 3 AND alive < @IAmAliveTime
$query$),
('DeleteMembershipTableEntriesKey', $query$
WITH hosts AS (DELETE FROM silo_host WHERE cluster = @DeploymentId)
DELETE FROM silo_cluster WHERE cluster = @DeploymentId
$query$)

ON CONFLICT (QueryKey) DO UPDATE SET QueryText = excluded.QueryText;

COMMIT;
