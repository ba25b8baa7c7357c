//! Commands on offsets, as clients give them.
