//! Who coordinates a group, and how it is asked until it answers.

use super::{said, too_old};
use crate::base::ids::NodeId;
use crate::base::time::Instant;
use crate::client::blocking::Client;
use crate::client::error::ClientError;
use crate::client::group::older;
use crate::protocol::messages::find_coordinator::{
    FindCoordinatorRequest, FindCoordinatorResponse,
};
use crate::protocol::{ErrorCode, Request, Str};
use std::collections::BTreeMap;

impl Client {
    /// Who coordinates groups, as one broker says it.
    pub(in crate::client) fn find_coordinators(
        &mut self,
        request: &FindCoordinatorRequest,
    ) -> Result<FindCoordinatorResponse, ClientError> {
        match self.call_any(request) {
            Err(ClientError::Malformed { .. } | ClientError::Unreachable { .. })
                if self.is_before::<FindCoordinatorRequest>(older::MANY_COORDINATORS_VERSION) =>
            {
                self.find_coordinators_one_by_one(request)
            }
            result => result,
        }
    }

    fn find_coordinators_one_by_one(
        &mut self,
        request: &FindCoordinatorRequest,
    ) -> Result<FindCoordinatorResponse, ClientError> {
        let highest = older::MANY_COORDINATORS_VERSION - 1;
        let mut response = FindCoordinatorResponse::default();
        for group_id in &request.coordinator_keys {
            let answer = self.call_any_at_most(&older::find_coordinator(group_id), highest)?;
            let coordinator = older::coordinator(group_id, answer);
            response.coordinators.push(coordinator);
        }
        Ok(response)
    }

    /// Whether a broker that can be reached is too old for a version of a request.
    fn is_before<R: Request>(&mut self, lowest: i16) -> bool {
        let nodes: Vec<NodeId> = self.cluster().brokers().map(|broker| broker.node).collect();
        nodes.into_iter().any(|node| {
            self.version::<R>(node)
                .is_ok_and(|version| version < lowest)
        })
    }

    /// The broker that coordinates a group; remembered until it says otherwise.
    pub fn group_coordinator(&mut self, group_id: &str) -> Result<NodeId, ClientError> {
        let deadline = self.now().instant + self.options().request_timeout;
        loop {
            if let Some(&node) = self.coordinators.get(group_id) {
                return Ok(node);
            }
            let errors = self.locate(&[group_id.to_owned()])?;
            if let Some(error) = errors.into_values().next() {
                self.pause_or(deadline, error)?;
            }
        }
    }

    /// Finds the coordinators of groups; gives the errors of those that were not found.
    pub(super) fn locate(
        &mut self,
        groups: &[String],
    ) -> Result<BTreeMap<String, ClientError>, ClientError> {
        let request = FindCoordinatorRequest {
            coordinator_keys: groups.iter().map(Str::from).collect(),
            ..FindCoordinatorRequest::default()
        };
        let response = self.find_coordinators(&request)?;
        let mut errors = BTreeMap::new();
        for coordinator in &response.coordinators {
            let group_id = coordinator.key.to_string();
            match ErrorCode::from(coordinator.error_code) {
                ErrorCode::NONE => {
                    self.coordinators
                        .insert(group_id, NodeId(coordinator.node_id));
                }
                error => {
                    let what = format!("finding the coordinator of group {group_id}");
                    let message = said(coordinator.error_message.as_ref());
                    errors.insert(group_id, ClientError::kafka(&what, error, message));
                }
            }
        }
        let is_known = |node: &NodeId| self.cluster().broker(*node).is_some();
        if !self.coordinators.values().all(is_known) {
            self.refresh(Some(&[]), false)?;
        }
        Ok(errors)
    }

    /// Rests where the error may pass before the deadline; otherwise it is returned.
    pub(super) fn pause_or(
        &mut self,
        deadline: Instant,
        error: ClientError,
    ) -> Result<(), ClientError> {
        if !error.is_retriable() || self.now().instant >= deadline {
            return Err(error);
        }
        self.pause(self.options().retry_backoff)
    }

    /// Asks a group's coordinator, in a version between `lowest` and `highest`, until the answer's
    /// error, which `judge` finds, is none that a retry may mend.
    pub(super) fn ask_coordinator<R: Request>(
        &mut self,
        group_id: &str,
        request: &R,
        (lowest, highest): (i16, i16),
        judge: impl Fn(&R::Response) -> Result<(), ClientError>,
    ) -> Result<R::Response, ClientError> {
        let deadline = self.now().instant + self.options().request_timeout;
        loop {
            let node = self.group_coordinator(group_id)?;
            let answer = match self.version::<R>(node) {
                Ok(version) if version < lowest => Err(too_old::<R>(lowest)),
                Ok(_) => self.call_at_most(node, request, highest),
                Err(error) => Err(error),
            };
            let error = match answer.and_then(|response| judge(&response).map(|()| response)) {
                Ok(response) => return Ok(response),
                Err(error) => error,
            };
            if is_elsewhere(&error) {
                self.coordinators.remove(group_id);
            }
            self.pause_or(deadline, error)?;
        }
    }
}

/// Whether another broker has to be asked.
pub(super) fn is_elsewhere(error: &ClientError) -> bool {
    match error {
        ClientError::Connect { .. } | ClientError::Disconnected { .. } => true,
        ClientError::Kafka { error, .. } => matches!(
            *error,
            ErrorCode::NOT_COORDINATOR | ErrorCode::COORDINATOR_NOT_AVAILABLE
        ),
        ClientError::Address { .. }
        | ClientError::Unreachable { .. }
        | ClientError::TimedOut { .. }
        | ClientError::Malformed { .. }
        | ClientError::Unsupported { .. }
        | ClientError::Batch { .. } => false,
    }
}
