//! Every setting there is, by area, and the ways to find one by its name.

#[cfg(test)]
pub mod apache_keys;
pub mod client_metrics;
pub mod dynamic_only;
pub mod group;
pub mod groups;
pub mod identity;
pub mod internal;
pub mod klamm;
pub mod log;
pub mod network;
pub mod oauth;
pub mod plugins;
pub mod quotas;
pub mod reasons;
pub mod removed;
pub mod replication;
pub mod sasl;
pub mod security;
pub mod share_streams;
pub mod tiered;
pub mod tls;
pub mod topic;
pub mod transactions;

use super::setting::Setting;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// The settings of a broker that DescribeConfigs lists, by area.
static BROKER: [&[Setting]; 15] = [
    groups::GROUPS,
    identity::IDENTITY,
    klamm::KLAMM,
    log::LOG,
    network::NETWORK,
    oauth::OAUTH,
    plugins::PLUGINS,
    quotas::QUOTAS,
    replication::REPLICATION,
    sasl::SASL,
    security::SECURITY,
    share_streams::SHARE_STREAMS,
    tiered::TIERED,
    tls::TLS,
    transactions::TRANSACTIONS,
];

static BROKER_BY_NAME: LazyLock<BTreeMap<&'static str, &'static Setting>> = LazyLock::new(|| {
    let hidden = [internal::INTERNAL, dynamic_only::DYNAMIC_ONLY];
    let all = BROKER.iter().chain(hidden.iter());
    all.flat_map(|rows| rows.iter())
        .map(|setting| (setting.name, setting))
        .collect()
});

/// The settings of a broker that DescribeConfigs lists, without order.
pub fn broker_settings() -> impl Iterator<Item = &'static Setting> {
    BROKER.iter().flat_map(|rows| rows.iter())
}

/// All settings of a broker, those that are not listed too, in the order of their names.
pub fn all_broker_settings() -> impl Iterator<Item = &'static Setting> {
    BROKER_BY_NAME.values().copied()
}

/// The setting of a broker with this name.
#[must_use]
pub fn broker_setting(name: &str) -> Option<&'static Setting> {
    BROKER_BY_NAME.get(name).copied()
}

/// The settings of a topic that DescribeConfigs lists, in the order of their names.
#[must_use]
pub fn topic_settings() -> &'static [Setting] {
    topic::TOPIC
}

/// The setting of a topic with this name.
#[must_use]
pub fn topic_setting(name: &str) -> Option<&'static Setting> {
    find(topic::TOPIC, name).or_else(|| find(topic::TOPIC_INTERNAL, name))
}

/// The settings of a group, in the order of their names.
#[must_use]
pub fn group_settings() -> &'static [Setting] {
    group::GROUP
}

/// The setting of a group with this name.
#[must_use]
pub fn group_setting(name: &str) -> Option<&'static Setting> {
    find(group::GROUP, name).or_else(|| find(group::GROUP_INTERNAL, name))
}

/// The settings of a client metrics subscription, in the order of their names.
#[must_use]
pub fn client_metrics_settings() -> &'static [Setting] {
    client_metrics::CLIENT_METRICS
}

/// The setting of a client metrics subscription with this name.
#[must_use]
pub fn client_metrics_setting(name: &str) -> Option<&'static Setting> {
    find(client_metrics::CLIENT_METRICS, name)
}

fn find(rows: &'static [Setting], name: &str) -> Option<&'static Setting> {
    let place = rows
        .binary_search_by(|setting| setting.name.cmp(name))
        .ok()?;
    rows.get(place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::setting::{Class, ValueType};
    use crate::config::value::Value;

    fn tables() -> Vec<&'static [Setting]> {
        let mut tables = BROKER.to_vec();
        tables.extend([
            internal::INTERNAL,
            dynamic_only::DYNAMIC_ONLY,
            topic::TOPIC,
            topic::TOPIC_INTERNAL,
            group::GROUP,
            group::GROUP_INTERNAL,
            client_metrics::CLIENT_METRICS,
        ]);
        tables
    }

    #[test]
    fn rows_are_sound() {
        for table in tables() {
            assert!(table.is_sorted_by(|one, next| one.name < next.name));
            for setting in table {
                let name = setting.name;
                if let Some(default) = setting.default {
                    let read = Value::read(setting, default);
                    let shown = read.expect(name).to_text();
                    assert_eq!(shown.as_deref(), Some(default), "{name}");
                }
                assert!(setting.documentation.ends_with('.'), "{name}");
                assert!(setting.documentation.len() <= 90, "{name}");
                assert_eq!(
                    setting.sensitive(),
                    setting.value_type == ValueType::Password
                );
                if let Class::Refused(refusal) = setting.class {
                    assert!(!refusal.reason.ends_with('.') && !refusal.mend.ends_with('.'));
                }
            }
        }
        let count: usize = BROKER.iter().map(|rows| rows.len()).sum();
        let hidden = internal::INTERNAL.len() + dynamic_only::DYNAMIC_ONLY.len();
        assert_eq!(BROKER_BY_NAME.len(), count + hidden, "no name comes twice");
    }

    #[test]
    fn the_keys_are_those_of_apache_kafka() {
        let same = |mut ours: Vec<&str>, theirs: [&'static str; 2]| {
            ours.retain(|name| !name.starts_with("klamm."));
            ours.sort_unstable();
            let mut theirs: Vec<_> = theirs
                .iter()
                .flat_map(|all| all.split_whitespace())
                .collect();
            theirs.sort_unstable();
            assert_eq!(ours, theirs);
        };
        let names = |rows: &'static [Setting]| rows.iter().map(|row| row.name).collect::<Vec<_>>();
        let broker = broker_settings().map(|row| row.name).collect();
        same(broker, [apache_keys::BROKER, apache_keys::BROKER_SINCE_4_4]);
        same(
            names(topic_settings()),
            [apache_keys::TOPIC, apache_keys::TOPIC_SINCE_4_4],
        );
        same(
            names(group_settings()),
            [apache_keys::GROUP, apache_keys::GROUP_SINCE_4_4],
        );
        same(
            names(client_metrics_settings()),
            [apache_keys::CLIENT_METRICS, ""],
        );
    }
}
