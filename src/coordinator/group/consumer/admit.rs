//! Who a request is from: whether the group knows the member, and whether its epoch says that it
//! knows what the group has told it.

use super::member::{Member, STATIC_LEAVE_EPOCH};
use super::partitions::Owned;
use super::{ConsumerGroup, Refusal};
use crate::protocol::errors::ErrorCode;
use crate::protocol::string::Str;

/// A member that may go on.
pub(super) enum Admitted<'a> {
    /// The group knows it.
    Known(&'a Member),
    /// It is new.
    New(Member),
    /// It is new, and takes the place of one with the same instance id.
    Replacing(&'a Member, Member),
}

/// Who wants to be admitted.
#[derive(Clone, Copy)]
pub(super) struct Applicant<'a> {
    /// The group that it means.
    pub(super) group_id: &'a Str,
    /// The member's id, never empty.
    pub(super) member_id: &'a Str,
    /// The name by which it comes back.
    pub(super) instance_id: Option<&'a Str>,
    /// Its epoch; `None` for a member that joins by the classic protocol.
    pub(super) epoch: Option<i32>,
    /// What it says that it has.
    pub(super) owned: Owned<'a>,
    /// Whether a member that is not known may be made.
    pub(super) joins: bool,
}

impl Applicant<'_> {
    pub(super) fn admit<'g>(&self, group: &'g ConsumerGroup) -> Result<Admitted<'g>, Refusal> {
        match self.instance_id {
            None => self.admit_dynamic(group),
            Some(instance_id) => self.admit_static(group, instance_id),
        }
    }

    fn admit_dynamic<'g>(&self, group: &'g ConsumerGroup) -> Result<Admitted<'g>, Refusal> {
        match group.member(self.member_id) {
            Some(member) => {
                self.check_epoch(member)?;
                Ok(Admitted::Known(member))
            }
            None if self.joins => Ok(Admitted::New(Member::new(self.member_id.detached()))),
            None => Err(unknown_member(self.group_id, self.member_id)),
        }
    }

    fn admit_static<'g>(
        &self,
        group: &'g ConsumerGroup,
        instance_id: &Str,
    ) -> Result<Admitted<'g>, Refusal> {
        let Some(existing) = group.static_member(instance_id) else {
            return if self.joins {
                Ok(Admitted::New(Member::new(self.member_id.detached())))
            } else {
                Err(Refusal::new(
                    ErrorCode::UNKNOWN_MEMBER_ID,
                    format!("Instance id {instance_id} is unknown."),
                ))
            };
        };
        if existing.id == *self.member_id {
            self.check_epoch(existing)?;
            return Ok(Admitted::Known(existing));
        }
        if !self.joins {
            return Err(fenced_instance(self.member_id, instance_id, existing));
        }
        // Between two that speak the consumer protocol the first must have gone away.
        let both_modern = self.epoch.is_some() && !existing.is_classic();
        if both_modern && existing.current.epoch != STATIC_LEAVE_EPOCH {
            return Err(Refusal::new(
                ErrorCode::UNRELEASED_INSTANCE_ID,
                format!(
                    "Static member {} with instance id {instance_id} cannot join the group because \
                     the instance id is owned by {} member.",
                    self.member_id, existing.id
                ),
            ));
        }
        let mut member = existing.clone();
        member.id = self.member_id.detached();
        member.current.epoch = 0;
        member.current.previous_epoch = 0;
        Ok(Admitted::Replacing(existing, member))
    }

    /// A member with the epoch before is one that did not get the last answer, as long as it has
    /// nothing that it was not given. One that joins anew has nothing.
    fn check_epoch(&self, member: &Member) -> Result<(), Refusal> {
        let current = &member.current;
        let Some(epoch) = self.epoch else {
            return Ok(());
        };
        let fenced = |how: &str| {
            Err(Refusal::new(
                ErrorCode::FENCED_MEMBER_EPOCH,
                format!(
                    "The consumer group member has a {how} member epoch ({epoch}) than the one known \
                     by the group coordinator ({}). The member must abandon all its partitions and \
                     rejoin.",
                    current.epoch
                ),
            ))
        };
        let joins_anew = self.joins && self.owned.is_nothing();
        if epoch == current.epoch || joins_anew {
            Ok(())
        } else if epoch > current.epoch {
            fenced("greater")
        } else if epoch == current.previous_epoch && self.owned.is_subset_of(&current.assigned) {
            Ok(())
        } else {
            fenced("smaller")
        }
    }
}

pub(super) fn unknown_member(group_id: &Str, member_id: &Str) -> Refusal {
    Refusal::new(
        ErrorCode::UNKNOWN_MEMBER_ID,
        format!("Member {member_id} is not a member of group {group_id}."),
    )
}

pub(super) fn fenced_instance(member_id: &Str, instance_id: &Str, existing: &Member) -> Refusal {
    Refusal::new(
        ErrorCode::FENCED_INSTANCE_ID,
        format!(
            "Static member {member_id} with instance id {instance_id} was fenced by member {}.",
            existing.id
        ),
    )
}
