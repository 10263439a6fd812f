-- Entries a station: key a 4-byte big-endian station_id, value {"STATION_ID": 40010, "COUNT": 1}.
CREATE TABLE turnstile_summary
  WITH (KAFKA_TOPIC = 'TURNSTILE_SUMMARY', KEY_FORMAT = 'KAFKA', VALUE_FORMAT = 'JSON', PARTITIONS = 1) AS
  SELECT station_id AS station_key, AS_VALUE(station_id) AS station_id, COUNT(*) AS count
  FROM turnstile
  GROUP BY station_id
  EMIT CHANGES;
