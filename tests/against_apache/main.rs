//! What Apache Kafka answers is right by definition: the same requests go to it and to klamm, for
//! every API that klamm serves, in every version, the good case and each error; the answers are
//! equal, field by field.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "these tests stand outside the broker: real processes, files and sockets"
)]

#[path = "../broker/apache.rs"]
#[allow(dead_code, reason = "shared with the tests in tests/broker")]
mod apache;
#[path = "../broker/broker.rs"]
#[allow(dead_code, reason = "shared with the tests in tests/broker")]
mod broker;
#[path = "../broker/deadline.rs"]
#[allow(dead_code, reason = "shared with the tests in tests/broker")]
mod deadline;
#[path = "../broker/installed.rs"]
#[allow(dead_code, reason = "shared with the tests in tests/broker")]
mod installed;
#[path = "../broker/wire.rs"]
#[allow(dead_code, reason = "shared with the tests in tests/broker")]
mod wire;
#[macro_use]
mod side;
mod configs;
mod describing;
mod reading;
mod topics;
mod writing;

use side::Pair;

#[test]
fn answers_are_apache_kafkas() {
    let mut pair = Pair::start(&["auto.create.topics.enable=false", "log.retention.ms=-1"]);
    topics::create_what_others_need(&mut pair);
    describing::compare(&mut pair);
    writing::compare(&mut pair);
    reading::compare(&mut pair);
    configs::compare(&mut pair);
    pair.finish();
}
