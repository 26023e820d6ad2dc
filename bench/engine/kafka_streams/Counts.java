import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueBytesStoreSupplier;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/**
 * The work of the engine benchmark in Kafka Streams: decode, count and keep the last event per key, one output for each event.
 *
 * <p>Arguments: bootstrap servers, application id, source, output, folder, and "memory" or "rocksdb".
 */
public final class Counts {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String TABLE = "counts"; // its changelog is called APPLICATION-counts-changelog

    private Counts() {}

    public static void main(String[] arguments) {
        KafkaStreams streams = new KafkaStreams(topology(arguments).build(), settings(arguments));
        Runtime.getRuntime().addShutdownHook(new Thread(() -> streams.close(Duration.ofSeconds(5))));
        streams.start();
    }

    private static StreamsBuilder topology(String[] arguments) {
        Serde<JsonNode> json = Serdes.serdeFrom((topic, value) -> encode(value), (topic, bytes) -> decode(bytes));
        KeyValueBytesStoreSupplier store =
                arguments[5].equals("rocksdb") ? Stores.persistentKeyValueStore(TABLE) : Stores.inMemoryKeyValueStore(TABLE);
        StreamsBuilder builder = new StreamsBuilder();
        builder.addStateStore(Stores.keyValueStoreBuilder(store, Serdes.String(), json).withCachingEnabled());
        builder.stream(arguments[2], Consumed.with(Serdes.String(), json))
                .process(Counter::new, TABLE)
                .to(arguments[3], Produced.with(Serdes.String(), json));
        return builder;
    }

    private static Properties settings(String[] arguments) {
        Properties settings = new Properties();
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, arguments[0]);
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, arguments[1]);
        settings.put(StreamsConfig.STATE_DIR_CONFIG, arguments[4]);
        settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 1_000); // 100 by default: smaller transactions, and slower
        settings.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 64 << 20); // a changed row is written once a commit
        settings.put(StreamsConfig.producerPrefix(ProducerConfig.COMPRESSION_TYPE_CONFIG), "zstd");
        settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), 2_000);
        settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.FETCH_MAX_WAIT_MS_CONFIG), 50);
        return settings;
    }

    private static byte[] encode(JsonNode value) {
        try {
            return value == null ? null : JSON.writeValueAsBytes(value);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    private static JsonNode decode(byte[] bytes) {
        try {
            return bytes == null ? null : JSON.readTree(bytes);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    private static final class Counter implements Processor<String, JsonNode, String, JsonNode> {
        private ProcessorContext<String, JsonNode> context;
        private KeyValueStore<String, JsonNode> table;

        @Override
        public void init(ProcessorContext<String, JsonNode> context) {
            this.context = context;
            this.table = context.getStateStore(TABLE);
        }

        @Override
        public void process(Record<String, JsonNode> record) {
            JsonNode before = table.get(record.key());
            int n = before == null ? 1 : before.get("n").asInt() + 1;
            ObjectNode row = JSON.createObjectNode().put("n", n);
            row.set("last", record.value());
            table.put(record.key(), row);
            ObjectNode output = JSON.createObjectNode();
            output.set("id", record.value().get("id"));
            output.put("n", n);
            output.set("kind", record.value().get("kind"));
            context.forward(record.withValue(output));
        }
    }
}
