//! What a producer is told by Kafka's settings, with Kafka's names, defaults and refusals.

use crate::base::convert::usize_from;
use crate::cli::error::CliError;
use crate::cli::output::notice;
use crate::cli::property::Properties;
use crate::client::ClientOptions;
use crate::client::consumer::{ConsumerOptions, Isolation};
use crate::client::group::{GroupConsumerOptions, MemberOptions, OffsetReset};
use crate::client::producer::{Acks, ProducerOptions};
use crate::record::Compression;
use crate::runtime::blocking::SocketBuffers;
use std::time::Duration;

/// Settings that are taken without effect: klamm's client does what they tune by itself, or has
/// nothing to tune there.
const WITHOUT_EFFECT: [&str; 24] = [
    "auto.include.jmx.reporter",
    "bootstrap.servers",
    "client.dns.lookup",
    "client.rack",
    "compression.lz4.level",
    "connections.max.idle.ms",
    "enable.metrics.push",
    "interceptor.classes",
    "key.serializer",
    "metadata.max.age.ms",
    "metadata.max.idle.ms",
    "metadata.recovery.strategy",
    "metric.reporters",
    "metrics.num.samples",
    "metrics.recording.level",
    "metrics.sample.window.ms",
    "partitioner.adaptive.partitioning.enable",
    "partitioner.availability.timeout.ms",
    "partitioner.ignore.keys",
    "reconnect.backoff.max.ms",
    "reconnect.backoff.ms",
    "retry.backoff.max.ms",
    "socket.connection.setup.timeout.max.ms",
    "value.serializer",
];

/// Settings that have an effect.
const WITH_EFFECT: [&str; 21] = [
    "acks",
    "batch.size",
    "buffer.memory",
    "client.id",
    "compression.gzip.level",
    "compression.type",
    "compression.zstd.level",
    "delivery.timeout.ms",
    "enable.idempotence",
    "linger.ms",
    "max.block.ms",
    "max.in.flight.requests.per.connection",
    "max.request.size",
    "receive.buffer.bytes",
    "request.timeout.ms",
    "retries",
    "retry.backoff.ms",
    "security.protocol",
    "send.buffer.bytes",
    "socket.connection.setup.timeout.ms",
    "transactional.id",
];

/// Refuses what the client cannot do, where not doing it would measure something else.
pub fn refuse_unsupported(settings: &Properties) -> Result<(), CliError> {
    let refused = |why: String| Err(CliError::Failed(why));
    for (key, value) in settings.iter() {
        let value = value.trim();
        if key == "security.protocol" && !value.eq_ignore_ascii_case("PLAINTEXT") {
            return refused(format!(
                "security.protocol={value}: klamm's client speaks neither TLS nor SASL yet, only PLAINTEXT"
            ));
        }
        if key == "transactional.id" {
            return refused(
                "transactional.id: klamm's client has no transactions yet; leave it out".to_owned(),
            );
        }
        if key == "partitioner.class" {
            return refused(format!(
                "partitioner.class={value}: klamm runs no Java classes; it partitions as Kafka does by default"
            ));
        }
    }
    Ok(())
}

/// Says of each setting that has no effect, because klamm does not know it, that it has none.
pub fn name_unknown(settings: &Properties) {
    for (key, _) in settings.iter() {
        let is_foreign = ["ssl.", "sasl."]
            .iter()
            .any(|prefix| key.starts_with(prefix));
        if !is_foreign && !WITHOUT_EFFECT.contains(&key) && !WITH_EFFECT.contains(&key) {
            notice(format_args!(
                "The setting {key} is not one that klamm's producer knows: it has no effect."
            ));
        }
    }
}

/// What the connections are told.
pub fn client(settings: &Properties, options: &mut ClientOptions) -> Result<(), CliError> {
    let read = |key: &str, default: Duration| duration(settings, key, default);
    options.request_timeout = read("request.timeout.ms", options.request_timeout)?;
    options.max_block = read("max.block.ms", options.max_block)?;
    options.retry_backoff = read("retry.backoff.ms", options.retry_backoff)?;
    options.connect_timeout = read(
        "socket.connection.setup.timeout.ms",
        options.connect_timeout,
    )?;
    buffers(settings, &mut options.buffers)
}

/// How much the kernel may hold of what is sent and received.
pub fn buffers(settings: &Properties, buffers: &mut SocketBuffers) -> Result<(), CliError> {
    buffers.send_bytes = buffer(settings, "send.buffer.bytes", buffers.send_bytes)?;
    buffers.receive_bytes = buffer(settings, "receive.buffer.bytes", buffers.receive_bytes)?;
    Ok(())
}

/// What a producer is told, with the defaults of Kafka's own.
pub fn producer(settings: &Properties) -> Result<ProducerOptions, CliError> {
    let defaults = ProducerOptions::default();
    let acks = match settings.get("acks") {
        None => Acks::All,
        Some(text) => Acks::parse(text).ok_or_else(|| wrong("acks", text, "0, 1, -1 or all"))?,
    };
    let compression = match settings.get("compression.type") {
        None => Compression::None,
        Some(text) => Compression::from_name(text.trim())
            .ok_or_else(|| wrong("compression.type", text, "none, gzip, snappy, lz4 or zstd"))?,
    };
    let in_flight = number(settings, "max.in.flight.requests.per.connection", 5)?.max(1);
    let asked = settings.get("enable.idempotence").is_some();
    let idempotent = settings.is_true("enable.idempotence", true);
    let retries = number(settings, "retries", u64::from(u32::MAX))?;
    // As Kafka decides: the default gives way to what excludes it, a demand does not.
    let excluded = if acks != Acks::All {
        Some("acks=all")
    } else if in_flight > 5 {
        Some("max.in.flight.requests.per.connection of at most 5")
    } else if retries == 0 {
        Some("retries above 0")
    } else {
        None
    };
    if let (true, true, Some(needed)) = (asked, idempotent, excluded) {
        return Err(CliError::Usage(format!(
            "enable.idempotence=true needs {needed}"
        )));
    }
    let linger = duration(settings, "linger.ms", defaults.linger)?;
    let request_timeout = duration(settings, "request.timeout.ms", defaults.request_timeout)?;
    let delivery_timeout = duration(settings, "delivery.timeout.ms", defaults.delivery_timeout)?;
    if settings.get("delivery.timeout.ms").is_some() && delivery_timeout < linger + request_timeout
    {
        return Err(CliError::Usage(
            "delivery.timeout.ms should be equal to or larger than linger.ms + request.timeout.ms"
                .to_owned(),
        ));
    }
    Ok(ProducerOptions {
        acks,
        compression,
        compression_level: level(settings, compression)?,
        batch_bytes: size(settings, "batch.size", defaults.batch_bytes)?.max(1),
        linger,
        buffer_bytes: size(settings, "buffer.memory", defaults.buffer_bytes)?.max(1),
        request_bytes: size(settings, "max.request.size", defaults.request_bytes)?,
        retries: u32::try_from(retries).unwrap_or(u32::MAX),
        retry_backoff: duration(settings, "retry.backoff.ms", defaults.retry_backoff)?,
        request_timeout,
        delivery_timeout: delivery_timeout.max(linger + request_timeout),
        in_flight_max: usize_from(in_flight),
        idempotent: idempotent && excluded.is_none(),
    })
}

/// What a consumer is told, with the defaults of Kafka's own; but a measuring one checks no sums, as
/// in Kafka's tool, unless it is told to.
pub fn consumer(settings: &Properties) -> Result<ConsumerOptions, CliError> {
    let defaults = ConsumerOptions::default();
    let whole = |key: &str, default: i32| {
        let default = u64::try_from(default).unwrap_or(0);
        number(settings, key, default).map(|number| i32::try_from(number).unwrap_or(i32::MAX))
    };
    let isolation = match settings.get("isolation.level").map(str::trim) {
        None | Some("read_uncommitted") => Isolation::ReadUncommitted,
        Some("read_committed") => Isolation::ReadCommitted,
        Some(text) => {
            return Err(wrong(
                "isolation.level",
                text,
                "read_committed or read_uncommitted",
            ));
        }
    };
    Ok(ConsumerOptions {
        max_wait: duration(settings, "fetch.max.wait.ms", defaults.max_wait)?,
        min_bytes: whole("fetch.min.bytes", defaults.min_bytes)?,
        max_bytes: whole("fetch.max.bytes", defaults.max_bytes)?,
        partition_bytes: whole("max.partition.fetch.bytes", defaults.partition_bytes)?,
        isolation,
        check_crcs: settings.is_true("check.crcs", false),
        rack: settings.get("client.rack").unwrap_or_default().to_owned(),
        retry_backoff: duration(settings, "retry.backoff.ms", defaults.retry_backoff)?,
    })
}

/// What a member of a group is told.
pub fn group_consumer(
    settings: &Properties,
    group_id: &str,
    from_earliest: bool,
) -> Result<GroupConsumerOptions, CliError> {
    let protocol = settings.get("group.protocol").unwrap_or("classic").trim();
    if !protocol.eq_ignore_ascii_case("classic") {
        return Err(CliError::Failed(format!(
            "group.protocol={protocol}: klamm's consumer speaks the classic group protocol only"
        )));
    }
    let defaults = GroupConsumerOptions::new(group_id);
    let member = defaults.member;
    let read = |key: &str, default: Duration| duration(settings, key, default);
    // As in Kafka's tool, the flag wins over the setting.
    let reset = if from_earliest {
        OffsetReset::Earliest
    } else {
        OffsetReset::Latest
    };
    Ok(GroupConsumerOptions {
        member: MemberOptions {
            group_id: group_id.to_owned(),
            instance_id: settings.get("group.instance.id").map(str::to_owned),
            session_timeout: read("session.timeout.ms", member.session_timeout)?,
            rebalance_timeout: read("max.poll.interval.ms", member.rebalance_timeout)?,
            heartbeat_interval: read("heartbeat.interval.ms", member.heartbeat_interval)?,
            rack: settings.get("client.rack").unwrap_or_default().to_owned(),
            retry_backoff: read("retry.backoff.ms", member.retry_backoff)?,
        },
        consumer: consumer(settings)?,
        auto_commit: settings.is_true("enable.auto.commit", true),
        auto_commit_interval: read("auto.commit.interval.ms", defaults.auto_commit_interval)?,
        reset,
        metadata_age_max: read("metadata.max.age.ms", defaults.metadata_age_max)?,
    })
}

/// KIP-390's levels.
fn level(settings: &Properties, compression: Compression) -> Result<Option<i32>, CliError> {
    let key = match compression {
        Compression::Gzip => "compression.gzip.level",
        Compression::Zstd => "compression.zstd.level",
        Compression::None | Compression::Snappy | Compression::Lz4 => return Ok(None),
    };
    settings
        .get(key)
        .map(|text| {
            text.trim()
                .parse()
                .map_err(|_| wrong(key, text, "a whole number"))
        })
        .transpose()
}

fn duration(settings: &Properties, key: &str, default: Duration) -> Result<Duration, CliError> {
    let default = u64::try_from(default.as_millis()).unwrap_or(u64::MAX);
    number(settings, key, default).map(Duration::from_millis)
}

fn size(settings: &Properties, key: &str, default: usize) -> Result<usize, CliError> {
    number(settings, key, crate::base::convert::u64_from(default)).map(usize_from)
}

fn number(settings: &Properties, key: &str, default: u64) -> Result<u64, CliError> {
    settings.get(key).map_or(Ok(default), |text| {
        text.trim()
            .parse()
            .map_err(|_| wrong(key, text, "a whole number"))
    })
}

/// A socket's buffer: -1 leaves it to the kernel.
fn buffer(
    settings: &Properties,
    key: &str,
    default: Option<usize>,
) -> Result<Option<usize>, CliError> {
    let Some(text) = settings.get(key) else {
        return Ok(default);
    };
    match text.trim().parse::<i32>() {
        Ok(bytes) if bytes >= -1 => Ok(usize::try_from(bytes).ok()),
        _ => Err(wrong(key, text, "-1 or a number of bytes")),
    }
}

fn wrong(key: &str, text: &str, takes: &str) -> CliError {
    CliError::Usage(format!("{key} takes {takes}, not '{text}'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pairs: &[&str]) -> Properties {
        let mut settings = Properties::default();
        let pairs: Vec<String> = pairs.iter().map(ToString::to_string).collect();
        settings.add_flags("--command-property", &pairs).unwrap();
        settings
    }

    #[test]
    fn the_defaults_are_those_of_kafkas_producer() {
        let options = producer(&settings(&[])).unwrap();
        assert_eq!(options.acks, Acks::All);
        assert!(options.idempotent);
        assert_eq!((options.batch_bytes, options.in_flight_max), (16_384, 5));
        assert_eq!(options.linger, Duration::from_millis(5));
        assert_eq!(options.delivery_timeout, Duration::from_secs(120));
    }

    #[test]
    fn sockets_have_the_buffers_that_kafka_names() {
        let buffers = |pairs: &[&str]| {
            let mut options = ClientOptions::new("localhost:9092", "").unwrap();
            client(&settings(pairs), &mut options).map(|()| options.buffers)
        };
        let (send, receive) = ("send.buffer.bytes", "receive.buffer.bytes");
        assert_eq!(buffers(&[]).unwrap().send_bytes, Some(131_072));
        assert_eq!(buffers(&[]).unwrap().receive_bytes, None);
        let set = buffers(&[&format!("{send}=-1"), &format!("{receive}=65536")]).unwrap();
        assert_eq!((set.send_bytes, set.receive_bytes), (None, Some(65_536)));
        for wrong in ["-2", "much", "3000000000"] {
            let error = buffers(&[&format!("{send}={wrong}")])
                .unwrap_err()
                .to_string();
            let said = format!("{send} takes -1 or a number of bytes, not '{wrong}' (see --help)");
            assert_eq!(error, said);
        }
    }

    #[test]
    fn idempotence_gives_way_unless_it_is_asked_for() {
        for excluding in [
            "acks=1",
            "acks=0",
            "max.in.flight.requests.per.connection=6",
            "retries=0",
        ] {
            assert!(!producer(&settings(&[excluding])).unwrap().idempotent);
            let error = producer(&settings(&[excluding, "enable.idempotence=true"])).unwrap_err();
            assert!(
                error
                    .to_string()
                    .starts_with("enable.idempotence=true needs"),
                "{error}"
            );
        }
        assert!(
            !producer(&settings(&["enable.idempotence=false"]))
                .unwrap()
                .idempotent
        );
    }

    #[test]
    fn levels_belong_to_their_codec() {
        let zstd = [
            "compression.type=zstd",
            "compression.zstd.level=9",
            "compression.gzip.level=1",
        ];
        let options = producer(&settings(&zstd)).unwrap();
        assert_eq!(
            (options.compression, options.compression_level),
            (Compression::Zstd, Some(9))
        );
        let gzip = producer(&settings(&["compression.type=gzip"])).unwrap();
        assert_eq!(gzip.compression_level, None);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for bad in [
            "acks=2",
            "compression.type=brotli",
            "linger.ms=soon",
            "batch.size=-1",
            "delivery.timeout.ms=10",
        ] {
            assert!(producer(&settings(&[bad])).is_err(), "{bad}");
        }
    }

    #[test]
    fn consumers_are_told_what_kafkas_are() {
        let options =
            group_consumer(&settings(&["isolation.level=read_committed"]), "g", true).unwrap();
        assert_eq!(options.member.group_id, "g");
        assert_eq!(options.reset, OffsetReset::Earliest);
        assert_eq!(options.consumer.isolation, Isolation::ReadCommitted);
        assert!(!options.consumer.check_crcs);
        assert!(options.auto_commit);
        for bad in [
            "isolation.level=x",
            "fetch.min.bytes=-1",
            "group.protocol=consumer",
        ] {
            assert!(
                group_consumer(&settings(&[bad]), "g", true).is_err(),
                "{bad}"
            );
        }
    }

    #[test]
    fn what_the_client_cannot_do_is_refused() {
        for bad in [
            "security.protocol=SASL_SSL",
            "transactional.id=x",
            "partitioner.class=a.B",
        ] {
            let error = refuse_unsupported(&settings(&[bad])).unwrap_err();
            assert_eq!(error.exit_code(), 1);
        }
        refuse_unsupported(&settings(&["security.protocol=plaintext", "acks=1"])).unwrap();
    }
}
