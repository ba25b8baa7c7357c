//! The conversions that cannot fail on the machines klamm runs on (64 bits), named once,
//! so that `as` appears nowhere else.

const _: () = assert!(usize::BITS == 64, "klamm runs on 64-bit Linux only");

/// A size in memory as a 64-bit quantity.
#[must_use]
#[expect(
    clippy::as_conversions,
    reason = "usize is 64 bits wide: asserted above"
)]
pub const fn u64_from(size: usize) -> u64 {
    size as u64
}

/// A 64-bit quantity as a size in memory.
#[must_use]
#[expect(
    clippy::as_conversions,
    reason = "usize is 64 bits wide: asserted above"
)]
pub const fn usize_from(quantity: u64) -> usize {
    quantity as usize
}

/// A 32-bit index as a size in memory.
#[must_use]
#[expect(
    clippy::as_conversions,
    reason = "usize is wider than u32: asserted above"
)]
pub const fn usize_from_u32(quantity: u32) -> usize {
    quantity as usize
}

/// A size in memory as Kafka's signed 64-bit quantity; sizes above `i64::MAX` do not exist.
#[must_use]
pub const fn i64_from(size: usize) -> i64 {
    u64_from(size).cast_signed()
}
