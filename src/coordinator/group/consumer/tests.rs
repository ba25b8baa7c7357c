//! Consumer groups in the hand of a test.
