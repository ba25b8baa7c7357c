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

/// A count or a time as a floating-point number: beyond 2^53 rounded to the nearest.
#[must_use]
#[expect(
    clippy::as_conversions,
    reason = "there is no From: rounding is what is wanted"
)]
pub const fn f64_from(quantity: u64) -> f64 {
    quantity as f64
}

/// A floating-point number as a whole one: cut off, at least 0, at most `u64::MAX`; NaN is 0.
#[must_use]
#[expect(
    clippy::as_conversions,
    reason = "there is no TryFrom: saturating is what is wanted"
)]
pub const fn u64_from_f64(number: f64) -> u64 {
    number as u64
}
