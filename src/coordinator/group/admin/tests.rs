//! What an administrator sees of groups.
