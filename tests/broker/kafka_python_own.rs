//! kafka-python's own integration tests, of the version that is installed, against this broker.

use crate::broker::Broker;
use crate::installed;
use std::process::Command;

/// What is left out, and why.
const LEFT_OUT: [(&str, &str); 10] = [
    (
        "test_describe_configs_broker_resource_returns_configs",
        "wants a broker whose advertised.listeners are set",
    ),
    (
        "test_kafka_version_infer",
        "guesses the version by requests that klamm does not serve yet",
    ),
    ("test_create_describe_delete_acls", "no access control yet"),
    (
        "test_elect_leaders",
        "a cluster of one: ElectLeaders is not served",
    ),
    (
        "test_alter_replica_log_dirs",
        "AlterReplicaLogDirs is not served",
    ),
    (
        "test_describe_metadata_quorum",
        "DescribeQuorum is not served",
    ),
    (
        "test_alter_partition_reassignments",
        "a cluster of one: not served",
    ),
    (
        "test_list_partition_reassignments",
        "a cluster of one: not served",
    ),
    (
        "test_list_config_resources",
        "ListConfigResources is not served",
    ),
    ("test_transactional", "no transactions yet"),
];

#[test]
fn kafka_pythons_own_tests_pass() {
    let broker = Broker::start_with(
        2,
        &[
            "num.partitions=4",
            "node.id=0",
            "group.min.session.timeout.ms=1000",
            "group.initial.rebalance.delay.ms=0",
        ],
    );
    let python = installed::cached("python/bin/python");
    let sources = installed::cached("python/kafka-python");
    let left_out: Vec<String> = LEFT_OUT
        .iter()
        .map(|(name, _)| format!("not {name}"))
        .collect();
    let output = Command::new(python)
        .current_dir(&sources)
        .args([
            "-m",
            "pytest",
            "-q",
            "-x",
            "-p",
            "no:cacheprovider",
            "-o",
            "addopts=",
        ])
        .args(["test/integration/test_admin_integration.py"])
        .args(["test/integration/test_consumer_integration.py"])
        .args(["test/integration/test_producer_integration.py"])
        .args(["-k", &left_out.join(" and ")])
        .env("KAFKA_URI", format!("kafka://{}", broker.bootstrap))
        .env("KAFKA_VERSION", "4.1.0")
        // It looks for a Kafka to start even where one is given.
        .env("KAFKA_ROOT", &sources)
        .env("PROJECT_ROOT", &sources)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .expect("pytest runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains(" passed"), "nothing was run: {said}");
}
