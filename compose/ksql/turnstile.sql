-- A rider's entry a record, as the producer writes it. The key is Avro too and says nothing that the value doesn't.
CREATE STREAM turnstile (station_id INT, station_name STRING, line STRING)
  WITH (KAFKA_TOPIC = 'org.chicago.cta.turnstile.v1', KEY_FORMAT = 'NONE', VALUE_FORMAT = 'AVRO');
