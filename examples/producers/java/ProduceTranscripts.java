// Sends events to `transcripts`, one JSON object a line of standard input: kafka-clients, avro and jackson, here from a
// Kafka's own folder and Debian's libavro-java.
//
//     edgewise schemas export avro
//     J=/usr/share/java; java -cp "$KAFKA_HOME/libs/*:$J/avro.jar:$J/jackson-core-asl.jar:$J/jackson-mapper-asl.jar" \
//         ProduceTranscripts.java 127.0.0.1:9092 transcripts avro/v2/transcripts.avsc < events.jsonl
//
// A line has `event_id`, `conversation_id`, `turn`, `text` and `occurred_at` (UTC milliseconds). The key is the conversation,
// so that its turns stay in order in one partition.

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.avro.Schema;
import org.apache.avro.SchemaNormalization;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.generic.GenericRecordBuilder;
import org.apache.avro.io.EncoderFactory;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;

public class ProduceTranscripts {
    static final List<String> TEXTS = List.of("event_id", "conversation_id", "text", "language", "source");
    static final List<String> SYMBOLS = List.of("role", "channel");

    public static void main(String[] arguments) throws Exception {
        Schema schema = new Schema.Parser().parse(new File(arguments[2]));
        var writer = new GenericDatumWriter<GenericRecord>(schema);
        long fingerprint = SchemaNormalization.parsingFingerprint64(schema);
        var failure = new AtomicReference<Exception>();
        Map<String, Object> options = Map.of(
            "bootstrap.servers", arguments[0], "acks", "all", "enable.idempotence", true, "compression.type", "gzip");
        try (var producer = new KafkaProducer<>(options, new StringSerializer(), new ByteArraySerializer());
             var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            var json = new ObjectMapper();
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                GenericRecord event = event(schema, json.readTree(line));
                var out = new ByteArrayOutputStream();
                // Avro single-object encoding: C3 01, then the schema's fingerprint, then the record.
                out.write(ByteBuffer.allocate(10).order(ByteOrder.LITTLE_ENDIAN).putShort((short) 0x01C3).putLong(fingerprint).array());
                var encoder = EncoderFactory.get().binaryEncoder(out, null);
                writer.write(event, encoder);
                encoder.flush();
                var sent = new ProducerRecord<>(arguments[1], event.get("conversation_id").toString(), out.toByteArray());
                producer.send(sent, (place, error) -> { if (error != null) failure.compareAndSet(null, error); });
            }
        }
        if (failure.get() != null) throw failure.get();
    }

    /** The event of a line; what it does not say is as the schema has it. */
    static GenericRecord event(Schema schema, JsonNode line) {
        var builder = new GenericRecordBuilder(schema);
        for (String name : TEXTS) if (line.hasNonNull(name)) builder.set(name, line.get(name).asText());
        for (String name : SYMBOLS) {
            if (line.hasNonNull(name)) builder.set(name, new GenericData.EnumSymbol(schema.getField(name).schema(), line.get(name).asText()));
        }
        builder.set("turn", line.get("turn").asLong());
        builder.set("occurred_at", line.get("occurred_at").asLong());
        return builder.build();
    }
}
