//! The real `klamm` under its real users: unmodified clients, Apache's own tools, kill -9, hostile
//! bytes and wrong settings. Nothing here knows how klamm is built; all of it would hold for any
//! Kafka, and `KLAMM_TEST_BROKER=apache` runs it against Apache's: so the tests are tested.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::unwrap_used,
    reason = "these tests stand outside the broker: real processes, files and sockets"
)]

mod apache;
mod bad_input;
mod bench;
mod between;
mod broker;
mod clients;
mod command_line;
mod deadline;
mod descriptors;
mod disk_full;
mod durability;
mod exact;
mod exchange;
mod group_bad_input;
mod group_client;
mod group_clients;
mod group_damage;
mod group_epochs;
mod group_exchange;
mod group_life;
mod group_settings;
mod group_storm;
mod group_tools;
mod group_versions;
mod groups;
mod installed;
mod kafka_python_own;
mod kcat;
mod klamm_groups;
mod klamm_groups_as_apache;
mod member;
mod metadata;
mod perf_latency;
mod perf_restart;
mod perf_tools;
mod perf_trouble;
mod plan;
mod report;
mod settings;
mod startup;
mod streams_and_connect;
mod tools;
mod tuning;
mod wakes;
mod wire;
mod zero_copy;
