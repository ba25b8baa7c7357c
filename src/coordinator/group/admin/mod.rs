//! What an administrator asks of groups, whatever they are made of: which there are, what a classic
//! one looks like, and that one be deleted.
//!
//! ```text
//!   list        ListGroups
//!   describe    DescribeGroups: classic groups; those of KIP-848 describe themselves
//!   delete      DeleteGroups
//! ```

pub mod delete;
pub mod describe;
pub mod list;
#[cfg(test)]
mod tests;
