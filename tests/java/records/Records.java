// Apache's side of tests/records_oracle.rs: one command a line on standard input, one answer a
// line on standard output. It writes batches with Apache's builder, reads klamm's with Apache's
// iterator, and judges produced batches with Apache's validator.
//
//   write SEED CODEC      a random batch: its hex, then what `read` says of it
//   read HEX              the header and the records, or `error CLASS`
//   control NAME          a batch of control records, fixed contents: its hex
//   validate HEX NOW BEFORE AFTER COMPACTED TYPE CODEC MAX RECORD_MAX
//                         `ok HEX`, or the name of Kafka's error and its message

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.errors.CorruptRecordException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.message.KRaftVersionRecord;
import org.apache.kafka.common.message.LeaderChangeMessage;
import org.apache.kafka.common.message.SnapshotFooterRecord;
import org.apache.kafka.common.message.SnapshotHeaderRecord;
import org.apache.kafka.common.message.VotersRecord;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.EndTransactionMarker;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MemoryRecordsBuilder;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.requests.ProduceRequest;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.common.utils.internals.BufferSupplier;
import org.apache.kafka.common.utils.internals.PrimitiveRef;
import org.apache.kafka.storage.internals.log.AppendOrigin;
import org.apache.kafka.storage.internals.log.LogValidator;
import org.apache.kafka.storage.internals.log.RecordValidationException;

public class Records {
    static final HexFormat HEX = HexFormat.of();

    public static void main(String[] args) throws Exception {
        var in = new BufferedReader(new InputStreamReader(System.in));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            System.out.println(answer(line.split(" ")).replace('\n', ' '));
            System.out.flush();
        }
    }

    static String answer(String[] words) {
        try {
            return switch (words[0]) {
                case "write" -> {
                    byte[] batch = random(new Random(Long.parseLong(words[1])), words[2]);
                    yield HEX.formatHex(batch) + " " + read(batch);
                }
                case "read" -> read(HEX.parseHex(words[1]));
                case "control" -> HEX.formatHex(control(words[1]));
                case "validate" -> validate(words);
                default -> "unknown command";
            };
        } catch (Throwable e) {
            return "error " + e;
        }
    }

    static byte[] bytes(MemoryRecords records) {
        ByteBuffer buffer = records.buffer().duplicate();
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(bytes);
        return bytes;
    }

    static byte[] some(Random random, int max) {
        if (random.nextInt(5) == 0) return null;
        byte[] bytes = new byte[random.nextInt(max)];
        for (int i = 0; i < bytes.length; i++) bytes[i] = (byte) ('a' + random.nextInt(4));
        return bytes;
    }

    static byte[] random(Random random, String codec) {
        boolean producer = random.nextBoolean();
        boolean append = random.nextInt(4) == 0;
        var builder = new MemoryRecordsBuilder(ByteBuffer.allocate(1 << 16), RecordBatch.MAGIC_VALUE_V2,
            Compression.of(codec).build(),
            append ? TimestampType.LOG_APPEND_TIME : TimestampType.CREATE_TIME,
            random.nextInt(1000), append ? 1_700_000_000_000L : -1L,
            producer ? random.nextInt(1000) : -1L, producer ? (short) random.nextInt(9) : (short) -1,
            producer ? random.nextInt() >>> 1 : -1, producer && random.nextBoolean(), false,
            random.nextInt(5) - 1, Integer.MAX_VALUE);
        int count = 1 + random.nextInt(30);
        // Some batches span several blocks of the codec.
        int valueMax = random.nextInt(4) == 0 ? 30_000 : 300;
        for (int i = 0; i < count; i++) {
            Header[] headers = new Header[random.nextInt(4)];
            for (int h = 0; h < headers.length; h++)
                headers[h] = new RecordHeader("h" + "x".repeat(random.nextInt(9)), some(random, 50));
            long timestamp = 1_700_000_000_000L + random.nextInt(100_000) - 50_000;
            builder.append(timestamp, some(random, 100), some(random, valueMax), headers);
        }
        return bytes(builder.build());
    }

    static String hex(ByteBuffer buffer) {
        if (buffer == null) return "-";
        byte[] bytes = new byte[buffer.remaining()];
        buffer.duplicate().get(bytes);
        return "x" + HEX.formatHex(bytes);
    }

    static String read(byte[] bytes) {
        var out = new StringBuilder();
        for (MutableRecordBatch batch : MemoryRecords.readableRecords(ByteBuffer.wrap(bytes)).batches()) {
            batch.ensureValid();
            out.append(String.join(",", "batch", "" + batch.baseOffset(), "" + batch.lastOffset(),
                "" + batch.partitionLeaderEpoch(), batch.compressionType().name, batch.timestampType().name,
                "" + batch.maxTimestamp(), "" + batch.producerId(), "" + batch.producerEpoch(),
                "" + batch.baseSequence(), "" + batch.lastSequence(), "" + batch.isTransactional(),
                "" + batch.isControlBatch(), "" + batch.countOrNull())).append(';');
            for (Record record : batch) {
                out.append(String.join(",", "record", "" + record.offset(), "" + record.timestamp(),
                    hex(record.key()), hex(record.value())));
                for (Header header : record.headers())
                    out.append(',').append(header.key()).append('=')
                        .append(header.value() == null ? "-" : "x" + HEX.formatHex(header.value()));
                out.append(';');
            }
        }
        return out.toString();
    }

    static byte[] control(String name) {
        var buffer = ByteBuffer.allocate(1024);
        var first = new Uuid(0x0101010101010101L, 0x0101010101010101L);
        var second = new Uuid(0x0202020202020202L, 0x0202020202020202L);
        return bytes(switch (name) {
            case "abort" -> MemoryRecords.withEndTransactionMarker(10, 99, 3, 77, (short) 2,
                new EndTransactionMarker(ControlRecordType.ABORT, 5));
            case "commit" -> MemoryRecords.withEndTransactionMarker(10, 99, 3, 77, (short) 2,
                new EndTransactionMarker(ControlRecordType.COMMIT, 5));
            case "leader-change-0", "leader-change-1" -> {
                var voter1 = new LeaderChangeMessage.Voter().setVoterId(1);
                var voter2 = new LeaderChangeMessage.Voter().setVoterId(2);
                if (name.endsWith("1")) {
                    voter1.setVoterDirectoryId(first);
                    voter2.setVoterDirectoryId(second);
                }
                var message = new LeaderChangeMessage().setLeaderId(2).setVoters(List.of(voter1, voter2))
                    .setGrantingVoters(List.of(voter2.duplicate()));
                if (name.endsWith("0"))
                    yield MemoryRecords.withLeaderChangeMessage(10, 99, 3, buffer, message);
                // Version 1 exists in the schema; Apache 4.4 itself only ever writes version 0.
                var builder = new MemoryRecordsBuilder(buffer, RecordBatch.MAGIC_VALUE_V2, Compression.NONE,
                    TimestampType.CREATE_TIME, 10, 99, -1, (short) -1, -1, false, true, 3, buffer.capacity());
                builder.appendControlRecord(99, ControlRecordType.LEADER_CHANGE,
                    MessageUtil.toByteBufferAccessor(message.setVersion((short) 1), (short) 1).buffer());
                yield builder.build();
            }
            case "snapshot-header" -> MemoryRecords.withSnapshotHeaderRecord(10, 99, 3, buffer,
                new SnapshotHeaderRecord().setVersion((short) 0).setLastContainedLogTimestamp(12345));
            case "snapshot-footer" -> MemoryRecords.withSnapshotFooterRecord(10, 99, 3, buffer,
                new SnapshotFooterRecord().setVersion((short) 0));
            case "kraft-version" -> MemoryRecords.withKRaftVersionRecord(10, 99, 3, buffer,
                new KRaftVersionRecord().setVersion((short) 0).setKRaftVersion((short) 1));
            case "kraft-voters" -> {
                var endpoints = new VotersRecord.EndpointCollection();
                endpoints.add(new VotersRecord.Endpoint().setName("CONTROLLER").setHost("localhost").setPort(49093));
                yield MemoryRecords.withVotersRecord(10, 99, 3, buffer, new VotersRecord().setVersion((short) 0)
                    .setVoters(List.of(new VotersRecord.Voter().setVoterId(1).setVoterDirectoryId(first)
                        .setEndpoints(endpoints).setKRaftVersionFeature(new VotersRecord.KRaftVersionFeature()
                            .setMinSupportedVersion((short) 0).setMaxSupportedVersion((short) 1)))));
            }
            default -> throw new IllegalArgumentException(name);
        });
    }

    static final LogValidator.MetricsRecorder SILENT = new LogValidator.MetricsRecorder() {
        public void recordInvalidMagic() { }
        public void recordInvalidOffset() { }
        public void recordInvalidSequence() { }
        public void recordInvalidChecksums() { }
        public void recordNoKeyCompactedTopic() { }
    };

    record FixedClock(long now) implements Time {
        public long milliseconds() { return now; }
        public long nanoseconds() { return 0; }
        public void sleep(long ms) { }
    }

    static String validate(String[] words) {
        try {
            long now = Long.parseLong(words[2]);
            var records = MemoryRecords.readableRecords(ByteBuffer.wrap(HEX.parseHex(words[1])));
            ProduceRequest.validateRecords((short) 13, records);
            // What UnifiedLog.analyzeAndValidateRecords does with a client's batches; it is private.
            RecordBatch only = null;
            for (MutableRecordBatch batch : records.batches()) {
                if (batch.baseOffset() != 0) throw new InvalidRecordException("base offset");
                if (batch.sizeInBytes() > Integer.parseInt(words[8])) throw new RecordTooLargeException();
                if (!batch.isValid()) throw new CorruptRecordException();
                only = batch;
            }
            var source = only.compressionType();
            var target = words[7].equals("producer") ? Compression.of(source).build() : Compression.of(words[7]).build();
            var validator = new LogValidator(records, new TopicPartition("t", 0), new FixedClock(now), source, target,
                Boolean.parseBoolean(words[5]), RecordBatch.MAGIC_VALUE_V2, TimestampType.forName(words[6]),
                Long.parseLong(words[3]), Long.parseLong(words[4]), 0, AppendOrigin.CLIENT, Integer.parseInt(words[9]));
            var result = validator.validateMessagesAndAssignOffsets(PrimitiveRef.ofLong(0), SILENT, BufferSupplier.NO_CACHING);
            for (MutableRecordBatch batch : result.validatedRecords().batches())
                if (batch.sizeInBytes() > Integer.parseInt(words[8])) throw new RecordTooLargeException();
            return "ok " + HEX.formatHex(bytes(result.validatedRecords()));
        } catch (RecordValidationException e) {
            return Errors.forException(e.invalidException()).name() + " " + e.recordErrors().get(0).batchIndex
                + " " + e.recordErrors().get(0).message;
        } catch (Throwable e) {
            return Errors.forException(e).name() + " - " + e;
        }
    }
}
