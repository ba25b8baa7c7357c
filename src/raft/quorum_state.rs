//! The `quorum-state` file: the epoch this node knows and the vote it gave in it. It is written and
//! synced before the node acts on it, so that after a crash no second vote is given in one epoch.
//!
//! ```text
//! {"clusterId":"","leaderId":1,"leaderEpoch":3,"votedId":-1,"appliedOffset":0,
//!  "currentVoters":[{"voterId":1}],"data_version":0}                                kraft.version 0
//! {"leaderId":1,"leaderEpoch":3,"votedId":-1,"votedDirectoryId":"AAAAAAAAAAAAAAAAAAAAAA",
//!  "data_version":1}                                                                kraft.version 1
//! ```

use super::voters::{ReplicaKey, VoterSet};
use crate::base::ids::{LeaderEpoch, NodeId};
use crate::base::uuid::Uuid;
use crate::runtime::disk::Disk;
use serde_json::{Map, Value, json};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Name of the file, in the directory of the metadata log.
pub const FILE_NAME: &str = "quorum-state";

/// The file of a quorum of three holds 170 bytes.
const FILE_BYTES_MAX: usize = 64 << 10;

/// What the file says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ElectionState {
    /// The latest epoch this node has seen.
    pub epoch: LeaderEpoch,
    /// Its leader, where one was known.
    pub leader_id: Option<NodeId>,
    /// The vote this node gave in that epoch.
    pub voted: Option<ReplicaKey>,
    /// The voters then; only in version 0, and for the reader's eyes: the configuration decides.
    pub voters: Vec<NodeId>,
}

/// Why the file cannot be read.
#[derive(Debug)]
pub struct QuorumStateError {
    path: PathBuf,
    why: String,
}

impl ElectionState {
    /// Reads the file's content, or says in a phrase what is wrong with it.
    pub fn parse(content: &[u8]) -> Result<ElectionState, String> {
        let value: Value =
            serde_json::from_slice(content).map_err(|error| format!("it is not JSON: {error}"))?;
        let Value::Object(fields) = value else {
            return Err("it is not a JSON object".to_owned());
        };
        match integer(&fields, "data_version")? {
            0 | 1 => {}
            version => return Err(format!("its data_version is {version}; 0 and 1 are known")),
        }
        let epoch = LeaderEpoch(integer(&fields, "leaderEpoch")?);
        if epoch.0 < 0 {
            return Err(format!("its leaderEpoch is {epoch}"));
        }
        let voted_directory_id = match fields.get("votedDirectoryId") {
            None | Some(Value::Null) => Uuid::ZERO,
            Some(value) => value
                .as_str()
                .and_then(Uuid::parse)
                .ok_or("its votedDirectoryId is no id".to_owned())?,
        };
        let voted = node(integer(&fields, "votedId")?).map(|id| ReplicaKey {
            id,
            directory_id: voted_directory_id,
        });
        let voters = match fields.get("currentVoters") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(voters)) => voters
                .iter()
                .map(|voter| {
                    let voter = voter.as_object().ok_or("a voter is not a JSON object")?;
                    integer(voter, "voterId").map(NodeId)
                })
                .collect::<Result<_, _>>()?,
            Some(_) => return Err("its currentVoters are no list".to_owned()),
        };
        Ok(ElectionState {
            epoch,
            leader_id: node(integer(&fields, "leaderId")?),
            voted,
            voters,
        })
    }

    /// The file's content, in the version that `kraft_version` asks for; fields in Kafka's order.
    #[must_use]
    pub fn to_json(&self, kraft_version: i16) -> String {
        let number = |id: Option<NodeId>| id.unwrap_or(NodeId(-1)).0;
        let leader = number(self.leader_id);
        let epoch = self.epoch;
        let voted = number(self.voted.map(|voted| voted.id));
        if kraft_version == 0 {
            let voters: Vec<Value> = self
                .voters
                .iter()
                .map(|voter| json!({ "voterId": voter.0 }))
                .collect();
            let voters = Value::Array(voters);
            format!(
                "{{\"clusterId\":\"\",\"leaderId\":{leader},\"leaderEpoch\":{epoch},\
                 \"votedId\":{voted},\"appliedOffset\":0,\"currentVoters\":{voters},\
                 \"data_version\":0}}"
            )
        } else {
            let directory = self.voted.map_or(Uuid::ZERO, |voted| voted.directory_id);
            format!(
                "{{\"leaderId\":{leader},\"leaderEpoch\":{epoch},\"votedId\":{voted},\
                 \"votedDirectoryId\":\"{directory}\",\"data_version\":1}}"
            )
        }
    }

    /// Reads the file of a metadata log directory; `None` where there is none yet.
    pub fn load(disk: &Disk, directory: &Path) -> Result<Option<ElectionState>, QuorumStateError> {
        let path = directory.join(FILE_NAME);
        let content = match disk.read(&path, FILE_BYTES_MAX) {
            Ok(content) => content,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(QuorumStateError {
                    path,
                    why: error.to_string(),
                });
            }
        };
        match ElectionState::parse(&content) {
            Ok(state) => Ok(Some(state)),
            Err(why) => Err(QuorumStateError { path, why }),
        }
    }

    /// Writes the file and waits until it is on disk.
    pub fn store(&self, disk: &Disk, directory: &Path, kraft_version: i16) -> io::Result<()> {
        disk.write_atomically(
            &directory.join(FILE_NAME),
            self.to_json(kraft_version).as_bytes(),
        )
    }

    pub(super) fn of_leader(
        epoch: LeaderEpoch,
        own: ReplicaKey,
        voters: &VoterSet,
    ) -> ElectionState {
        ElectionState {
            epoch,
            leader_id: Some(own.id),
            voted: None, // as Kafka writes it: a known leader stands for the vote
            voters: voters.voters().iter().map(|voter| voter.id).collect(),
        }
    }
}

fn node(id: i32) -> Option<NodeId> {
    (id >= 0).then_some(NodeId(id))
}

fn integer(fields: &Map<String, Value>, name: &str) -> Result<i32, String> {
    let value = fields
        .get(name)
        .ok_or_else(|| format!("it has no {name}"))?;
    value
        .as_i64()
        .and_then(|number| i32::try_from(number).ok())
        .ok_or_else(|| format!("its {name} is {value}, not a number of 32 bits"))
}

impl fmt::Display for QuorumStateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the quorum state in {} cannot be read: {}; restore the file from a copy, or delete it \
             if this node is the only voter",
            self.path.display(),
            self.why
        )
    }
}

impl std::error::Error for QuorumStateError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::prng::Prng;
    use crate::runtime::simulated::disk::SimulatedDisk;

    const OF_APACHE: &str = "{\"clusterId\":\"\",\"leaderId\":1,\"leaderEpoch\":3,\"votedId\":-1,\
        \"appliedOffset\":0,\"currentVoters\":[{\"voterId\":1}],\"data_version\":0}";

    #[test]
    fn writes_what_apache_writes() {
        let own = ReplicaKey {
            id: NodeId(1),
            directory_id: Uuid::ZERO,
        };
        let voters = VoterSet::new(vec![own]);
        let state = ElectionState::of_leader(LeaderEpoch(3), own, &voters);
        assert_eq!(state.to_json(0), OF_APACHE);
        assert_eq!(ElectionState::parse(OF_APACHE.as_bytes()), Ok(state));
    }

    #[test]
    fn a_vote_comes_back_with_its_directory() {
        let directory_id = Uuid([7; 16]);
        let state = ElectionState {
            epoch: LeaderEpoch(9),
            leader_id: None,
            voted: Some(ReplicaKey {
                id: NodeId(2),
                directory_id,
            }),
            voters: Vec::new(),
        };
        let json = state.to_json(1);
        expect_test::expect![[
            r#"{"leaderId":-1,"leaderEpoch":9,"votedId":2,"votedDirectoryId":"BwcHBwcHBwcHBwcHBwcHBw","data_version":1}"#
        ]]
        .assert_eq(&json);
        assert_eq!(ElectionState::parse(json.as_bytes()), Ok(state));
    }

    #[test]
    fn the_file_is_stored_and_loaded() {
        let disk = Disk::Simulated(SimulatedDisk::new());
        let directory = Path::new("/data/__cluster_metadata-0");
        disk.create_directories(directory).unwrap();
        assert_eq!(ElectionState::load(&disk, directory).unwrap(), None);
        let state = ElectionState::parse(OF_APACHE.as_bytes()).unwrap();
        state.store(&disk, directory, 0).unwrap();
        assert_eq!(ElectionState::load(&disk, directory).unwrap(), Some(state));
        disk.write_atomically(&directory.join(FILE_NAME), b"{\"leaderEpoch\":")
            .unwrap();
        let error = ElectionState::load(&disk, directory)
            .unwrap_err()
            .to_string();
        assert!(error.contains("it is not JSON"), "{error}");
    }

    #[test]
    fn no_bytes_make_the_reader_panic() {
        let mut prng = Prng::new(3);
        let mut refused = 0;
        for _ in 0..5_000 {
            let mut content = OF_APACHE.as_bytes().to_vec();
            for _ in 0..=prng.below(4) {
                let at = prng.index(content.len());
                content[at] = u8::try_from(prng.below(256)).unwrap();
            }
            content.truncate(prng.index(content.len() + 1));
            refused += usize::from(ElectionState::parse(&content).is_err());
        }
        assert!(
            refused > 4_000,
            "the canary: most of these must be refused, {refused} were"
        );
    }
}
