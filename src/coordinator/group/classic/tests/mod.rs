//! The classic protocol, one rule after another.
