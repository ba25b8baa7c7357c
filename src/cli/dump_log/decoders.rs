//! What the values of Kafka's own topics say, as JSON.

use super::offsets;
use crate::protocol::metadata_records::MetadataRecord;
use crate::record::Record;
use crate::record::control::ControlRecord;
use bytes::Bytes;
use serde_json::{Value, json};

/// How keys and values are read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Decoder {
    /// As UTF-8 text.
    Text,
    /// As records of `__cluster_metadata`.
    ClusterMetadata,
    /// As records of `__consumer_offsets`.
    Offsets,
}

impl Decoder {
    /// Key and value as Kafka's tool prints them; `None` where it prints nothing.
    #[must_use]
    pub fn decode(self, record: &Record<'_>) -> (Option<String>, Option<String>) {
        let text =
            |field: Option<&[u8]>| field.map(|field| String::from_utf8_lossy(field).into_owned());
        match self {
            Decoder::Text => (text(record.key), text(record.value)),
            Decoder::Offsets => offsets::decode(record),
            Decoder::ClusterMetadata => {
                let value = Bytes::copy_from_slice(record.value.unwrap_or_default());
                match MetadataRecord::decode_versioned(&value) {
                    Ok((metadata, version)) => (None, Some(metadata.to_json(version))),
                    // Kafka's tool puts it in the key's place too.
                    Err(error) => {
                        let offset = record.offset;
                        (Some(format!("Error at {offset}, skipping. {error}")), None)
                    }
                }
            }
        }
    }
}

/// A control record as it stands behind its metadata.
#[must_use]
pub fn control(record: &Record<'_>) -> String {
    match ControlRecord::read(record) {
        Ok(ControlRecord::Abort { coordinator_epoch }) => {
            format!(" endTxnMarker: ABORT coordinatorEpoch: {coordinator_epoch}")
        }
        Ok(ControlRecord::Commit { coordinator_epoch }) => {
            format!(" endTxnMarker: COMMIT coordinatorEpoch: {coordinator_epoch}")
        }
        Ok(ControlRecord::LeaderChange(change)) => {
            let voter = |voter: &crate::record::control::Voter| {
                let mut object = json!({ "voterId": voter.voter_id.0 });
                if change.version > 0 {
                    object["voterDirectoryId"] = Value::from(voter.directory_id.to_string());
                }
                object
            };
            let voters: Vec<Value> = change.voters.iter().map(voter).collect();
            let granting: Vec<Value> = change.granting_voters.iter().map(voter).collect();
            // Written by hand: Kafka's order of fields is not alphabetical.
            format!(
                " LeaderChange: {{\"version\":{},\"leaderId\":{},\"voters\":{},\"grantingVoters\":{}}}",
                change.version,
                change.leader_id,
                Value::from(voters),
                Value::from(granting)
            )
        }
        Ok(ControlRecord::SnapshotHeader {
            last_contained_log_timestamp,
        }) => format!(
            " SnapshotHeader {{\"version\":0,\"lastContainedLogTimestamp\":{}}}",
            last_contained_log_timestamp.0
        ),
        Ok(ControlRecord::SnapshotFooter) => " SnapshotFooter {\"version\":0}".to_owned(),
        Ok(ControlRecord::KRaftVersion(version)) => {
            format!(" KRaftVersion {{\"version\":0,\"kRaftVersion\":{version}}}")
        }
        Ok(ControlRecord::KRaftVoters(voters)) => {
            let voters: Vec<String> = voters
                .iter()
                .map(|voter| {
                    let endpoints: Vec<String> = voter
                        .endpoints
                        .iter()
                        .map(|endpoint| {
                            format!(
                                "{{\"name\":{},\"host\":{},\"port\":{}}}",
                                Value::from(endpoint.name.as_str()),
                                Value::from(endpoint.host.as_str()),
                                endpoint.port
                            )
                        })
                        .collect();
                    format!(
                        "{{\"voterId\":{},\"voterDirectoryId\":\"{}\",\"endpoints\":[{}],\
                         \"kRaftVersionFeature\":{{\"minSupportedVersion\":{},\
                         \"maxSupportedVersion\":{}}}}}",
                        voter.voter_id,
                        voter.directory_id,
                        endpoints.join(","),
                        voter.kraft_version_min,
                        voter.kraft_version_max
                    )
                })
                .collect();
            format!(
                " KRaftVoters {{\"version\":0,\"voters\":[{}]}}",
                voters.join(",")
            )
        }
        Ok(ControlRecord::Unknown(kind)) => format!(" controlType: UNKNOWN({kind})"),
        Err(error) => format!(" unreadable control record: {error}"),
    }
}
