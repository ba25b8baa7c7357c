//! How console-consumer prints a record: as Kafka's `DefaultMessageFormatter`, by a template in
//! the language of kcat and rpk, as JSON, or not at all.

use super::error::CliError;
use super::property::Properties;
use super::template::Template;
use crate::base::uuid::Uuid;
use crate::record::{Record, TimestampType};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

/// A record with where it came from.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// Name of its topic.
    pub topic: &'a str,
    /// Which partition of it.
    pub partition: i32,
    /// The leader epoch of its batch; -1 is "none".
    pub leader_epoch: i32,
    /// Whose time its timestamp is.
    pub timestamp_type: TimestampType,
    /// The record itself.
    pub record: Record<'a>,
}

/// What turns messages into bytes.
#[derive(Clone, Debug)]
pub enum Formatter {
    /// Kafka's default.
    Default(Box<DefaultFormatter>),
    /// A template: `%t [%p] %o: %v\n`.
    Template(Template),
    /// One JSON object a line.
    Json,
    /// Prints nothing: only the count at the end.
    Nothing,
}

impl Formatter {
    /// The formatter of a Java class name, as `--formatter` takes it.
    pub fn of_class(class: &str, properties: &Properties) -> Result<Formatter, CliError> {
        match class.rsplit('.').next().unwrap_or(class) {
            "DefaultMessageFormatter" | "LoggingMessageFormatter" => Ok(Formatter::Default(
                Box::new(DefaultFormatter::new(properties)?),
            )),
            "NoOpMessageFormatter" => Ok(Formatter::Nothing),
            _ => Err(CliError::Usage(format!(
                "klamm has no formatter {class}: it has DefaultMessageFormatter and \
                 NoOpMessageFormatter, and --format takes a template such as '%t %p %o %k %v\\n'"
            ))),
        }
    }

    /// Appends one message to `out`.
    pub fn write(&self, message: &Message<'_>, out: &mut Vec<u8>) -> Result<(), CliError> {
        match self {
            Formatter::Default(formatter) => formatter.write(message, out),
            Formatter::Template(template) => {
                template.write(message, out);
                Ok(())
            }
            Formatter::Json => {
                out.extend_from_slice(json_of(message).to_string().as_bytes());
                out.push(b'\n');
                Ok(())
            }
            Formatter::Nothing => Ok(()),
        }
    }
}

/// Kafka's `DefaultMessageFormatter`: which columns, and what stands between them.
#[derive(Clone, Debug)]
pub struct DefaultFormatter {
    print_timestamp: bool,
    print_partition: bool,
    print_offset: bool,
    print_delivery: bool,
    print_epoch: bool,
    print_headers: bool,
    print_key: bool,
    print_value: bool,
    key_separator: Vec<u8>,
    line_separator: Vec<u8>,
    headers_separator: Vec<u8>,
    null_literal: Vec<u8>,
    key_deserializer: Deserializer,
    value_deserializer: Deserializer,
    headers_deserializer: Deserializer,
}

impl DefaultFormatter {
    /// Reads the properties that Kafka's formatter knows; others are ignored, as there.
    pub fn new(properties: &Properties) -> Result<DefaultFormatter, CliError> {
        let bytes =
            |key: &str, default: &str| properties.get(key).unwrap_or(default).as_bytes().to_vec();
        let deserializer = |key: &str| {
            properties
                .get(key)
                .map_or(Ok(Deserializer::Bytes), Deserializer::of_class)
        };
        Ok(DefaultFormatter {
            print_timestamp: properties.is_true("print.timestamp", false),
            print_partition: properties.is_true("print.partition", false),
            print_offset: properties.is_true("print.offset", false),
            print_delivery: properties.is_true("print.delivery", false),
            print_epoch: properties.is_true("print.epoch", false),
            print_headers: properties.is_true("print.headers", false),
            print_key: properties.is_true("print.key", false),
            print_value: properties.is_true("print.value", true),
            key_separator: bytes("key.separator", "\t"),
            line_separator: bytes("line.separator", "\n"),
            headers_separator: bytes("headers.separator", ","),
            null_literal: bytes("null.literal", "null"),
            key_deserializer: deserializer("key.deserializer")?,
            value_deserializer: deserializer("value.deserializer")?,
            headers_deserializer: deserializer("headers.deserializer")?,
        })
    }

    fn write(&self, message: &Message<'_>, out: &mut Vec<u8>) -> Result<(), CliError> {
        let record = &message.record;
        // What may follow a column decides between the separator of columns and that of lines.
        let after_headers = self.print_key || self.print_value;
        let after_epoch = after_headers || self.print_headers;
        let after_delivery = after_epoch || self.print_epoch;
        let after_offset = after_delivery || self.print_delivery;
        let after_partition = after_offset || self.print_offset;
        let after_timestamp = after_partition || self.print_partition;
        if self.print_timestamp {
            if record.timestamp.0 < 0 {
                out.extend_from_slice(b"NO_TIMESTAMP");
            } else {
                let name = timestamp_type_name(message.timestamp_type);
                out.extend_from_slice(format!("{name}:{}", record.timestamp.0).as_bytes());
            }
            self.separate(out, after_timestamp);
        }
        if self.print_partition {
            out.extend_from_slice(format!("Partition:{}", message.partition).as_bytes());
            self.separate(out, after_partition);
        }
        if self.print_offset {
            out.extend_from_slice(format!("Offset:{}", record.offset).as_bytes());
            self.separate(out, after_offset);
        }
        if self.print_delivery {
            // Deliveries are counted in share groups only.
            out.extend_from_slice(b"Delivery:NOT_PRESENT");
            self.separate(out, after_delivery);
        }
        if self.print_epoch {
            // Kafka's consumer prints NOT_PRESENT here for every record it reads.
            out.extend_from_slice(b"Epoch:NOT_PRESENT");
            self.separate(out, after_epoch);
        }
        if self.print_headers {
            self.write_headers(message, out)?;
            self.separate(out, after_headers);
        }
        if self.print_key {
            self.write_field(self.key_deserializer, record.key, out)?;
            self.separate(out, self.print_value);
        }
        if self.print_value {
            self.write_field(self.value_deserializer, record.value, out)?;
            out.extend_from_slice(&self.line_separator);
        }
        Ok(())
    }

    fn write_headers(&self, message: &Message<'_>, out: &mut Vec<u8>) -> Result<(), CliError> {
        if message.record.headers.len() == 0 {
            out.extend_from_slice(b"NO_HEADERS");
        }
        for (index, header) in message.record.headers.enumerate() {
            if index > 0 {
                out.extend_from_slice(&self.headers_separator);
            }
            out.extend_from_slice(header.key);
            out.push(b':');
            self.write_field(self.headers_deserializer, header.value, out)?;
        }
        Ok(())
    }

    fn write_field(
        &self,
        deserializer: Deserializer,
        field: Option<&[u8]>,
        out: &mut Vec<u8>,
    ) -> Result<(), CliError> {
        match field {
            None => out.extend_from_slice(&self.null_literal),
            Some(field) => deserializer.write(field, out)?,
        }
        Ok(())
    }

    fn separate(&self, out: &mut Vec<u8>, another_column: bool) {
        let separator = if another_column {
            &self.key_separator
        } else {
            &self.line_separator
        };
        out.extend_from_slice(separator);
    }
}

/// What a field's bytes mean: the deserializers of Kafka that need no configuration.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Deserializer {
    Bytes,
    Boolean,
    Short,
    Integer,
    Long,
    Float,
    Double,
    Uuid,
    Void,
}

impl Deserializer {
    fn of_class(class: &str) -> Result<Deserializer, CliError> {
        match class.rsplit('.').next().unwrap_or(class) {
            "StringDeserializer" | "ByteArrayDeserializer" | "BytesDeserializer" => {
                Ok(Deserializer::Bytes)
            }
            "BooleanDeserializer" => Ok(Deserializer::Boolean),
            "ShortDeserializer" => Ok(Deserializer::Short),
            "IntegerDeserializer" => Ok(Deserializer::Integer),
            "LongDeserializer" => Ok(Deserializer::Long),
            "FloatDeserializer" => Ok(Deserializer::Float),
            "DoubleDeserializer" => Ok(Deserializer::Double),
            "UUIDDeserializer" => Ok(Deserializer::Uuid),
            "VoidDeserializer" => Ok(Deserializer::Void),
            _ => Err(CliError::Usage(format!(
                "klamm has no deserializer {class}: it has Kafka's own for String, ByteArray, \
                 Boolean, Short, Integer, Long, Float, Double and UUID"
            ))),
        }
    }

    fn write(self, field: &[u8], out: &mut Vec<u8>) -> Result<(), CliError> {
        let text = match self {
            Deserializer::Bytes => {
                out.extend_from_slice(field);
                return Ok(());
            }
            Deserializer::Void => "null".to_owned(),
            Deserializer::Boolean => match self.exactly::<1>(field)? {
                [0] => "false".to_owned(),
                [_] => "true".to_owned(),
            },
            Deserializer::Short => i16::from_be_bytes(self.exactly(field)?).to_string(),
            Deserializer::Integer => i32::from_be_bytes(self.exactly(field)?).to_string(),
            Deserializer::Long => i64::from_be_bytes(self.exactly(field)?).to_string(),
            Deserializer::Float => format!("{:?}", f32::from_be_bytes(self.exactly(field)?)),
            Deserializer::Double => format!("{:?}", f64::from_be_bytes(self.exactly(field)?)),
            Deserializer::Uuid => String::from_utf8_lossy(field).into_owned(),
        };
        out.extend_from_slice(text.as_bytes());
        Ok(())
    }

    fn exactly<const N: usize>(self, field: &[u8]) -> Result<[u8; N], CliError> {
        <[u8; N]>::try_from(field).map_err(|_| {
            CliError::Failed(format!(
                "a field of {} bytes cannot be read by {self:?}Deserializer, which takes {N}: \
                 --skip-message-on-error leaves such records out",
                field.len()
            ))
        })
    }
}

/// Kafka's name of a timestamp type.
#[must_use]
pub fn timestamp_type_name(timestamp_type: TimestampType) -> &'static str {
    match timestamp_type {
        TimestampType::CreateTime => "CreateTime",
        TimestampType::LogAppendTime => "LogAppendTime",
    }
}

/// Bytes as JSON: text where they are UTF-8, else `{"base64": …}`, so that nothing is lost.
fn json_bytes(bytes: Option<&[u8]>) -> Value {
    match bytes.map(std::str::from_utf8) {
        None => Value::Null,
        Some(Ok(text)) => Value::from(text),
        Some(Err(_)) => json!({ "base64": STANDARD.encode(bytes.unwrap_or_default()) }),
    }
}

fn json_of(message: &Message<'_>) -> Value {
    let record = &message.record;
    let headers: Vec<Value> = record
        .headers
        .map(|header| {
            json!({ "key": json_bytes(Some(header.key)), "value": json_bytes(header.value) })
        })
        .collect();
    let mut object = Map::new();
    object.insert("topic".to_owned(), json!(message.topic));
    object.insert("partition".to_owned(), json!(message.partition));
    object.insert("offset".to_owned(), json!(record.offset.0));
    object.insert("timestamp".to_owned(), json!(record.timestamp.0));
    let name = timestamp_type_name(message.timestamp_type);
    object.insert("timestampType".to_owned(), json!(name));
    if message.leader_epoch >= 0 {
        object.insert("leaderEpoch".to_owned(), json!(message.leader_epoch));
    }
    object.insert("headers".to_owned(), Value::from(headers));
    object.insert("key".to_owned(), json_bytes(record.key));
    object.insert("value".to_owned(), json_bytes(record.value));
    Value::Object(object)
}

/// The dashed hexadecimal spelling that Java gives a UUID.
#[must_use]
pub fn dashed(id: Uuid) -> String {
    let wide = u128::from_be_bytes(id.0);
    let hex = format!("{wide:032x}");
    format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::base::ids::Offset;
    use crate::base::time::Timestamp;
    use crate::record::{BatchBuilder, Header, RecordBatch};
    use expect_test::{Expect, expect};

    /// Three records as the console producer of Kafka would make them.
    pub fn with_messages(mut each: impl FnMut(&Message<'_>)) {
        let mut builder = BatchBuilder::new(Offset(7));
        let headers = [
            Header {
                key: b"h1",
                value: Some(b"v1"),
            },
            Header {
                key: b"h2",
                value: None,
            },
        ];
        builder.append(Timestamp(1000), Some(b"k1"), Some(b"value one"), &headers);
        builder.append(Timestamp(1001), Some(b""), None, &[]);
        builder.append(Timestamp(1002), None, Some(&[0xFF, b'z']), &[]);
        let batch = RecordBatch::parse(builder.finish()).unwrap();
        let open = batch.open(1 << 20).unwrap();
        for record in &open {
            each(&Message {
                topic: "alpha",
                partition: 3,
                leader_epoch: 5,
                timestamp_type: TimestampType::CreateTime,
                record: record.unwrap(),
            });
        }
    }

    fn check(pairs: &[&str], expected: &Expect) {
        let pairs: Vec<String> = pairs.iter().map(|&pair| pair.to_owned()).collect();
        let mut properties = Properties::default();
        properties
            .add_flags("--formatter-property", &pairs)
            .unwrap();
        let formatter = Formatter::of_class("DefaultMessageFormatter", &properties).unwrap();
        let mut out = Vec::new();
        with_messages(|message| formatter.write(message, &mut out).unwrap());
        expected.assert_eq(&String::from_utf8_lossy(&out));
    }

    #[test]
    fn prints_as_kafka_does() {
        check(
            &[],
            &expect![[r#"
                value one
                null
                �z
            "#]],
        );
        check(
            &[
                "print.timestamp=true",
                "print.key=true",
                "print.offset=TRUE",
                "print.partition=true",
                "print.headers=true",
                "print.epoch=true",
            ],
            &expect![[r#"
                CreateTime:1000	Partition:3	Offset:7	Epoch:NOT_PRESENT	h1:v1,h2:null	k1	value one
                CreateTime:1001	Partition:3	Offset:8	Epoch:NOT_PRESENT	NO_HEADERS		null
                CreateTime:1002	Partition:3	Offset:9	Epoch:NOT_PRESENT	NO_HEADERS	null	�z
            "#]],
        );
        check(
            &[
                "print.key=true",
                "print.headers=true",
                "null.literal=NIL",
                "key.separator=|",
                "line.separator=<EOL>",
                "headers.separator=;",
            ],
            &expect!["h1:v1;h2:NIL|k1|value one<EOL>NO_HEADERS||NIL<EOL>NO_HEADERS|NIL|�z<EOL>"],
        );
        check(
            &["print.key=true", "print.value=false"],
            &expect![[r#"
            k1

            null
        "#]],
        );
        check(
            &["print.offset=true", "print.value=false"],
            &expect![[r#"
            Offset:7
            Offset:8
            Offset:9
        "#]],
        );
        check(&["print.value=false"], &expect![[""]]);
    }

    #[test]
    fn prints_json() {
        let mut out = Vec::new();
        with_messages(|message| Formatter::Json.write(message, &mut out).unwrap());
        expect![[r#"
            {"headers":[{"key":"h1","value":"v1"},{"key":"h2","value":null}],"key":"k1","leaderEpoch":5,"offset":7,"partition":3,"timestamp":1000,"timestampType":"CreateTime","topic":"alpha","value":"value one"}
            {"headers":[],"key":"","leaderEpoch":5,"offset":8,"partition":3,"timestamp":1001,"timestampType":"CreateTime","topic":"alpha","value":null}
            {"headers":[],"key":null,"leaderEpoch":5,"offset":9,"partition":3,"timestamp":1002,"timestampType":"CreateTime","topic":"alpha","value":{"base64":"/3o="}}
        "#]].assert_eq(&String::from_utf8_lossy(&out));
    }

    #[test]
    fn deserializers_read_javas_big_endian_numbers() {
        let read = |class: &str, bytes: &[u8]| {
            let mut out = Vec::new();
            Deserializer::of_class(class)?.write(bytes, &mut out)?;
            Ok::<_, CliError>(String::from_utf8_lossy(&out).into_owned())
        };
        let prefix = "org.apache.kafka.common.serialization.";
        let long = format!("{prefix}LongDeserializer");
        assert_eq!(read(&long, &[0, 0, 0, 0, 0, 0, 1, 0]).unwrap(), "256");
        assert_eq!(read("IntegerDeserializer", &[255; 4]).unwrap(), "-1");
        assert_eq!(read("ShortDeserializer", &[0, 9]).unwrap(), "9");
        assert_eq!(
            read("DoubleDeserializer", &1.0f64.to_be_bytes()).unwrap(),
            "1.0"
        );
        assert_eq!(read("BooleanDeserializer", &[1]).unwrap(), "true");
        assert!(read(&long, &[0; 7]).is_err());
        assert!(read("com.example.Avro", &[]).is_err());
    }

    #[test]
    fn a_uuid_is_dashed_as_java_writes_it() {
        assert_eq!(
            dashed(Uuid([0xAB; 16])),
            "abababab-abab-abab-abab-abababababab"
        );
    }
}
