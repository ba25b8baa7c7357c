//! The answers of several groups to one request, in the order in which it names them.
//!
//! Beside [`super::gather`], because the question is another: there one piece of work goes to each
//! core and comes back with places; here each group is asked by itself, of a coordinator that knows
//! nothing of places, and is answered with its id, in whatever order.

use super::Context;
use crate::coordinator::group::{GroupCommand, GroupReply};
use crate::partition::work::RequestId;
use crate::protocol::messages::consumer_group_describe::DescribedGroup as DescribedConsumerGroup;
use crate::protocol::messages::delete_groups::DeletableGroupResult;
use crate::protocol::messages::describe_groups::DescribedGroup;
use crate::protocol::messages::offset_fetch::OffsetFetchResponseGroup;
use crate::protocol::string::Str;
use std::collections::{BTreeMap, VecDeque};

/// What one group answers.
pub(super) trait OfGroup: Sized {
    /// The answer in a reply of its kind.
    fn of(reply: GroupReply) -> Option<Self>;

    /// Whose it is.
    fn group_id(&self) -> &Str;
}

macro_rules! of_group {
    ($( $kind:ident($answer:ty), )*) => { $(
        impl OfGroup for $answer {
            fn of(reply: GroupReply) -> Option<$answer> {
                if let GroupReply::$kind(answer) = reply {
                    Some(answer)
                } else {
                    None
                }
            }

            fn group_id(&self) -> &Str {
                &self.group_id
            }
        }
    )* };
}

of_group! {
    OffsetFetch(OffsetFetchResponseGroup),
    DescribeGroup(DescribedGroup),
    DeleteGroup(DeletableGroupResult),
    ConsumerGroupDescribe(DescribedConsumerGroup),
}

/// Answers by the places that their groups have in the request.
pub(super) struct PerGroup<T> {
    answers: Vec<Option<T>>,
    /// The places of those who have not answered: a request may name a million groups, and one of
    /// them twice.
    open: BTreeMap<Str, VecDeque<usize>>,
}

impl<T: OfGroup> PerGroup<T> {
    /// No groups yet.
    pub(super) fn new() -> PerGroup<T> {
        PerGroup {
            answers: Vec::new(),
            open: BTreeMap::new(),
        }
    }

    /// Asks the next group of its coordinator. A group that is named twice is asked twice.
    pub(super) fn ask(
        &mut self,
        context: &mut Context<'_>,
        request: RequestId,
        command: GroupCommand,
    ) {
        let group_id = command.group_id().cloned().unwrap_or_default();
        match context.ask_group(request, command) {
            Ok(()) => self.await_answer(group_id),
            Err(refused) => self.answers.push(T::of(*refused)),
        }
    }

    fn await_answer(&mut self, group_id: Str) {
        let place = self.answers.len();
        self.answers.push(None);
        self.open.entry(group_id).or_default().push_back(place);
    }

    /// The next group's answer needs no asking.
    pub(super) fn know(&mut self, answer: T) {
        self.answers.push(Some(answer));
    }

    /// A group has answered.
    pub(super) fn answer(&mut self, answer: T) {
        let Some(places) = self.open.get_mut(answer.group_id()) else {
            return;
        };
        let place = places.pop_front();
        if places.is_empty() {
            self.open.remove(answer.group_id());
        }
        if let Some(place) = place {
            self.answers[place] = Some(answer);
        }
    }

    /// Whether all have answered.
    pub(super) fn is_complete(&self) -> bool {
        self.open.is_empty()
    }

    /// The answers.
    pub(super) fn into_answers(self) -> impl Iterator<Item = T> {
        self.answers.into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(group_id: &str, error_code: i16) -> DeletableGroupResult {
        DeletableGroupResult {
            group_id: group_id.into(),
            error_code,
            ..DeletableGroupResult::default()
        }
    }

    #[test]
    fn answers_come_in_the_order_of_the_request() {
        let mut groups = PerGroup::new();
        for id in ["a", "b", "a"] {
            groups.await_answer(Str::from(id));
        }
        groups.know(answer("", 0));
        groups.answer(answer("b", 2));
        groups.answer(answer("a", 1));
        assert!(!groups.is_complete());
        groups.answer(answer("a", 3));
        groups.answer(answer("a", 4));
        assert!(groups.is_complete());
        let codes = groups.into_answers().map(|answer| answer.error_code);
        assert_eq!(codes.collect::<Vec<_>>(), [1, 2, 3, 0]);
    }

    #[test]
    fn many_groups_are_found_as_fast_as_few() {
        let mut groups = PerGroup::new();
        let ids: Vec<String> = (0..200_000)
            .map(|number| format!("group-{number}"))
            .collect();
        for id in &ids {
            groups.await_answer(Str::from(id));
        }
        for id in ids.iter().rev() {
            groups.answer(answer(id, 1));
        }
        assert!(groups.is_complete());
        let first = groups.into_answers().next().expect("all have answered");
        assert_eq!(first.group_id, "group-0");
    }
}
