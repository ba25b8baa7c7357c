//! What a setting is: one row of the tables in `rows/`. Kafka's name, type, default, importance,
//! scope and bounds (facts, asked of Apache Kafka 4.3.1 itself), a sentence of documentation in
//! our own words, and what klamm does with it.

/// Kafka's type of a value; the codes are those of DescribeConfigs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ValueType {
    /// `true` or `false`.
    Boolean,
    /// Text.
    String,
    /// A whole number of 32 bits.
    Int,
    /// A whole number of 16 bits.
    Short,
    /// A whole number of 64 bits.
    Long,
    /// A floating-point number of 64 bits.
    Double,
    /// Texts, separated by commas.
    List,
    /// Name of a Java class.
    Class,
    /// Text that is never shown.
    Password,
    /// The type of a key that Kafka does not know.
    Unknown,
}

impl ValueType {
    /// The code of this type in a DescribeConfigs response (KIP-569).
    #[must_use]
    pub fn code(self) -> i8 {
        match self {
            ValueType::Unknown => 0,
            ValueType::Boolean => 1,
            ValueType::String => 2,
            ValueType::Int => 3,
            ValueType::Short => 4,
            ValueType::Long => 5,
            ValueType::Double => 6,
            ValueType::List => 7,
            ValueType::Class => 8,
            ValueType::Password => 9,
        }
    }

    /// Kafka's name of this type, as its error messages spell it.
    #[must_use]
    pub fn kafka_name(self) -> &'static str {
        match self {
            ValueType::Unknown => "UNKNOWN",
            ValueType::Boolean => "BOOLEAN",
            ValueType::String => "STRING",
            ValueType::Int => "INT",
            ValueType::Short => "SHORT",
            ValueType::Long => "LONG",
            ValueType::Double => "DOUBLE",
            ValueType::List => "LIST",
            ValueType::Class => "CLASS",
            ValueType::Password => "PASSWORD",
        }
    }
}

/// When a setting can be changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// Only in the file, the environment or the command line, before the broker starts.
    ReadOnly,
    /// While the broker runs, for one broker at a time.
    PerBroker,
    /// While the broker runs, for one broker or as the default of all.
    ClusterWide,
}

/// Kafka's own estimate of how much a setting matters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Importance {
    /// Many will set it.
    High,
    /// Some will set it.
    Medium,
    /// Few will set it.
    Low,
}

/// Which values of its type a setting takes.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Validator {
    /// All.
    Any,
    /// Numbers from this one.
    AtLeast(i64),
    /// Numbers from the first to the second, both included.
    Between(i64, i64),
    /// Floating-point numbers from the first to the second, both included.
    BetweenDouble(f64, f64),
    /// Exactly these texts.
    OneOf(&'static [&'static str]),
    /// These texts, in small or capital letters.
    OneOfIgnoringCase(&'static [&'static str]),
    /// Lists of these texts.
    ListOf(&'static [&'static str]),
    /// Texts of at least one character, or null.
    NonEmpty,
    /// Levels of gzip: 1 to 9, or -1 for the codec's own default.
    GzipLevel,
    /// `*`, or `partition:broker` pairs.
    ThrottledReplicas,
    /// `earliest`, `latest` or `by_duration:` and a positive ISO 8601 duration.
    AutoOffsetReset,
}

/// Why klamm does not start with a setting, and what the user can do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// Why ignoring it would be unsafe; follows "klamm refuses KEY: ".
    pub reason: &'static str,
    /// What to do instead, as a sentence without its full stop.
    pub mend: &'static str,
}

/// What klamm does with a setting that differs from its default.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Class {
    /// It does what Kafka does.
    Implemented,
    /// It is accepted, and said once at start to have no effect, for this reason.
    WithoutEffect(&'static str),
    /// The broker does not start with it: ignoring it would be unsafe.
    Refused(Refusal),
}

/// One setting.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Setting {
    /// Kafka's name.
    pub name: &'static str,
    /// Kafka's type.
    pub value_type: ValueType,
    /// The default as text, or `None` where Kafka's is null (or the setting is required).
    pub default: Option<&'static str>,
    /// Kafka's importance.
    pub importance: Importance,
    /// When it can be changed.
    pub scope: Scope,
    /// Which values it takes.
    pub validator: Validator,
    /// What klamm does with it.
    pub class: Class,
    /// What it is for, in one sentence.
    pub documentation: &'static str,
}

impl Setting {
    /// Whether its value is never shown: DescribeConfigs answers null.
    #[must_use]
    pub fn sensitive(&self) -> bool {
        self.value_type == ValueType::Password
    }
}

/// Rows of a table, one setting each:
/// `"name": Type = default, importance, scope, validator, class, "documentation";`
macro_rules! rows {
    ($($name:literal: $type:ident = $default:tt, $importance:ident, $scope:ident,
        $validator:expr, $class:expr, $documentation:literal;)*) => {
        &[$($crate::config::setting::Setting {
            name: $name,
            value_type: $crate::config::setting::ValueType::$type,
            default: $crate::config::setting::default_text!($default),
            importance: $crate::config::setting::Importance::$importance,
            scope: $crate::config::setting::Scope::$scope,
            validator: $validator,
            class: $class,
            documentation: $documentation,
        }),*]
    };
}

/// A default as a row writes it: `null`, or a text.
macro_rules! default_text {
    (null) => {
        None
    };
    ($text:literal) => {
        Some($text)
    };
}

pub(crate) use {default_text, rows};
