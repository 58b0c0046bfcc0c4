// Reads `sentiment` exactly once into a file for each partition, as ../consume_sentiment.py does: kafka-clients, avro and
// jackson, here from a Kafka's own folder and Debian's libavro-java.
//
//     edgewise schemas export avro
//     J=/usr/share/java; java -cp "$KAFKA_HOME/libs/*:$J/avro.jar:$J/jackson-core-asl.jar:$J/jackson-mapper-asl.jar" ConsumeSentiment.java \
//         127.0.0.1:9092 sentiment avro results [http://registry:8081] [--until-end]
//
// Each line has its record's offset: what is kept and where the reading stands is one thing. After a crash reading goes on
// behind the last whole line; no offset is committed to Kafka.

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.SchemaNormalization;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.DecoderFactory;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

public class ConsumeSentiment {
    static final ObjectMapper JSON = new ObjectMapper();
    static final int REMEMBERED = 100_000; // event ids of a partition that a repeated one is found among
    static final List<String> TEXTS = List.of("event_id", "conversation_id", "label", "route", "role", "language");

    /** Values to records of the newest release, whichever release and header they were written with. */
    static class Decoder {
        private final Map<String, Schema> writers = new HashMap<>();
        private final Schema reader;
        private final String registry;

        Decoder(Path folder, String registry) throws IOException {
            this.registry = registry;
            List<Path> files = new ArrayList<>();
            try (var folders = Files.list(folder)) {
                folders.map(each -> each.resolve("sentiment.avsc")).filter(Files::exists).forEach(files::add);
            }
            files.sort(Comparator.comparing(file -> Integer.parseInt(file.getParent().getFileName().toString().substring(1))));
            Schema newest = null;
            for (Path file : files) {
                newest = new Schema.Parser().parse(Files.readString(file));
                long mark = SchemaNormalization.parsingFingerprint64(newest); // CRC-64-AVRO
                ByteBuffer header = ByteBuffer.allocate(10).order(ByteOrder.LITTLE_ENDIAN);
                writers.put(hex(header.put((byte) 0xc3).put((byte) 1).putLong(mark).array()), newest);
            }
            reader = newest;
        }

        GenericRecord decode(byte[] value) throws IOException, InterruptedException {
            int size = value[0] == 0 ? 5 : 10; // 00 and the id of a registry, or C3 01 and a fingerprint
            String header = hex(java.util.Arrays.copyOf(value, size));
            if (!writers.containsKey(header)) {
                writers.put(header, fromRegistry(value));
            }
            var binary = DecoderFactory.get().binaryDecoder(value, size, value.length - size, null);
            return new GenericDatumReader<GenericRecord>(writers.get(header), reader).read(null, binary);
        }

        private Schema fromRegistry(byte[] value) throws IOException, InterruptedException {
            if (value[0] != 0 || registry == null) {
                throw new IOException("a value is written with a schema that is not here: export them again");
            }
            int id = ByteBuffer.wrap(value, 1, 4).getInt();
            HttpRequest request = HttpRequest.newBuilder(URI.create(registry + "/schemas/ids/" + id)).build();
            HttpResponse<String> answer = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
            if (answer.statusCode() != 200) {
                throw new IOException("the schema registry answers " + answer.statusCode());
            }
            return new Schema.Parser().parse(JSON.readTree(answer.body()).get("schema").asText());
        }

        private static String hex(byte[] bytes) {
            return java.util.HexFormat.of().formatHex(bytes);
        }
    }

    /** The file of one partition: a JSON object a line, the last one says where reading goes on. */
    static class Results {
        private final RandomAccessFile file;
        private final Map<String, Boolean> seen = new LinkedHashMap<>() {
            @Override
            protected boolean removeEldestEntry(Map.Entry<String, Boolean> eldest) {
                return size() > REMEMBERED;
            }
        };
        long nextOffset = 0;

        Results(Path path) throws IOException {
            file = new RandomAccessFile(path.toFile(), "rw");
            byte[] content = Files.readAllBytes(path);
            int whole = content.length; // what a crash cut short is read again
            while (whole > 0 && content[whole - 1] != '\n') {
                whole--;
            }
            for (String line : new String(content, 0, whole, StandardCharsets.UTF_8).split("\n")) {
                if (!line.isEmpty()) {
                    JsonNode kept = JSON.readTree(line);
                    nextOffset = kept.get("offset").asLong() + 1;
                    seen.put(kept.get("event_id").asText(), true);
                }
            }
            file.setLength(whole);
            file.seek(whole);
        }

        /** Keeps a result, unless it is one that was there before: of a file that was replayed, say. */
        void add(long offset, GenericRecord result) throws IOException {
            if (seen.put(result.get("event_id").toString(), true) == null) {
                ObjectNode line = JSON.createObjectNode().put("offset", offset).put("turn", (long) result.get("turn"));
                line.put("confidence", (double) result.get("confidence")).put("degraded", (boolean) result.get("degraded"));
                for (String name : TEXTS) {
                    Object value = result.getSchema().getField(name) == null ? null : result.get(name);
                    line.put(name, value == null ? null : value.toString());
                }
                file.write((JSON.writeValueAsString(line) + "\n").getBytes(StandardCharsets.UTF_8));
            }
            nextOffset = offset + 1;
        }

        /** From here on what was added outlasts this process, and the machine. */
        void flush() throws IOException {
            file.getFD().sync();
        }
    }

    public static void main(String[] arguments) throws Exception {
        List<String> given = new ArrayList<>(List.of(arguments));
        boolean untilEnd = given.remove("--until-end");
        if (given.size() < 4 || given.size() > 5) {
            System.err.println("ConsumeSentiment SERVERS TOPIC SCHEMAS FOLDER [REGISTRY] [--until-end]");
            System.exit(2);
        }
        String topic = given.get(1);
        Decoder decoder = new Decoder(Path.of(given.get(2)), given.size() == 5 ? given.get(4) : null);
        Path folder = Files.createDirectories(Path.of(given.get(3)));
        Map<String, Object> config = Map.of(
            "bootstrap.servers", given.get(0),
            "enable.auto.commit", false,
            "isolation.level", "read_committed", // else the results of aborted transactions come too
            "auto.offset.reset", "earliest");
        var bytes = new ByteArrayDeserializer();
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(config, bytes, bytes)) {
            Map<TopicPartition, Results> results = new HashMap<>();
            for (var partition : consumer.partitionsFor(topic)) {
                results.put(
                    new TopicPartition(topic, partition.partition()),
                    new Results(folder.resolve(topic + "-" + partition.partition() + ".jsonl")));
            }
            consumer.assign(results.keySet());
            results.forEach((partition, each) -> consumer.seek(partition, each.nextOffset));
            Map<TopicPartition, Long> ends = consumer.endOffsets(results.keySet()); // of what is committed
            while (!untilEnd || ends.entrySet().stream().anyMatch(end -> consumer.position(end.getKey()) < end.getValue())) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofSeconds(1))) {
                    results.get(new TopicPartition(topic, record.partition())).add(record.offset(), decoder.decode(record.value()));
                }
                for (Results each : results.values()) {
                    each.flush();
                }
            }
        }
    }
}
