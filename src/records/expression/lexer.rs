//! From text to tokens, one at a time.
//!
//! bcftools' rules: a name goes on to the next operator, bracket or space; within `[ ]` everything belongs to it.

use super::error::{ExpressionError, Problem};
use super::function::Function;
use crate::formats::vcf::value;

/// An operator of two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `=` and `==`.
    Equal,
    /// `!=`.
    NotEqual,
    /// `<`.
    Less,
    /// `<=`.
    LessEqual,
    /// `>`.
    Greater,
    /// `>=`.
    GreaterEqual,
    /// `~`.
    Like,
    /// `!~`.
    NotLike,
    /// `+`.
    Add,
    /// `-`.
    Subtract,
    /// `*`.
    Multiply,
    /// `/`.
    Divide,
    /// `%`, of the integer parts.
    Remainder,
    /// `&`: in one sample.
    And,
    /// `&&`: at one site.
    AndSite,
    /// `|`: selects the samples for which it is true.
    Or,
    /// `||`: selects all samples where one side is true.
    OrSite,
}

impl Operator {
    /// Binds more tightly than those of a lower number.
    pub fn precedence(self) -> u8 {
        match self {
            Self::Or | Self::OrSite => 2,
            Self::And | Self::AndSite => 3,
            Self::Add | Self::Subtract => 6,
            Self::Multiply | Self::Divide | Self::Remainder => 7,
            _ => 5,
        }
    }

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
            Self::Like => "~",
            Self::NotLike => "!~",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
            Self::And => "&",
            Self::AndSite => "&&",
            Self::Or => "|",
            Self::OrSite => "||",
        }
    }

    /// `==`, `!=`, `~` or `!~`.
    pub fn is_equality(self) -> bool {
        matches!(self, Self::Equal | Self::NotEqual | Self::Like | Self::NotLike)
    }
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// `(`.
    Open,
    /// `)`.
    Close,
    /// Between two operands.
    Operator(Operator),
    /// The name of a function; its `(` is the next token.
    Function(Function),
    /// A number, a quoted text, a file, or a name with its subscript.
    Value,
}

/// A token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Its first byte.
    pub from: usize,
    /// One past its last byte.
    pub to: usize,
}

/// Reads tokens from a text.
pub struct Lexer<'t> {
    text: &'t str,
    /// Where the next token is looked for.
    pub at: usize,
}

impl<'t> Lexer<'t> {
    /// Begins at the beginning.
    pub fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    /// The next token; `None` at the end.
    ///
    /// # Errors
    /// What follows is no token.
    pub fn next(&mut self) -> Result<Option<Token>, ExpressionError> {
        let bytes = self.text.as_bytes();
        while bytes.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        let rest = &bytes[self.at..];
        if rest.is_empty() {
            return Ok(None);
        }
        let (kind, length) = self.token(rest)?;
        let token = Token { kind, from: self.at, to: self.at + length };
        self.at += length;
        Ok(Some(token))
    }

    fn token(&self, rest: &[u8]) -> Result<(TokenKind, usize), ExpressionError> {
        let failed = |problem| ExpressionError::new(self.text, self.at, problem);
        if rest[0].is_ascii_digit() || rest[0] == b'.' {
            let length = value::real_length(rest);
            if length > 0 && !rest.get(length).is_some_and(u8::is_ascii_alphanumeric) {
                return Ok((TokenKind::Value, length));
            }
        }
        if starts_with(rest, b"perl.") || starts_with(rest, b"perl:") {
            return Err(failed(Problem::Perl));
        }
        if let Some((function, length)) = function(rest) {
            return Ok((TokenKind::Function(function), length));
        }
        if rest[0] == b'{' {
            return Err(failed(Problem::External));
        }
        if starts_with(rest, b"%ILEN") {
            return Ok((TokenKind::Value, 5));
        }
        if let Some((kind, length)) = sign(rest) {
            return Ok((kind, length));
        }
        if rest[0] == b'@' {
            let ends = |b: &u8| b.is_ascii_whitespace() || matches!(b, b'=' | b'!');
            return Ok((TokenKind::Value, rest.iter().position(ends).unwrap_or(rest.len())));
        }
        if let quote @ (b'"' | b'\'') = rest[0] {
            let end = rest[1..].iter().position(|&b| b == quote);
            return end.map(|end| (TokenKind::Value, end + 2)).ok_or_else(|| failed(Problem::Quote));
        }
        match name_length(rest) {
            0 => Err(failed(Problem::Syntax)),
            length => Ok((TokenKind::Value, length)),
        }
    }
}

fn starts_with(text: &[u8], word: &[u8]) -> bool {
    text.len() >= word.len() && text[..word.len()].eq_ignore_ascii_case(word)
}

fn sign(rest: &[u8]) -> Option<(TokenKind, usize)> {
    use Operator::*;
    let second = rest.get(1).copied().unwrap_or(0);
    let (operator, length) = match (rest[0], second) {
        (b'(', _) => return Some((TokenKind::Open, 1)),
        (b')', _) => return Some((TokenKind::Close, 1)),
        (b'!', b'=') => (NotEqual, 2),
        (b'!', b'~') => (NotLike, 2),
        (b'<', b'=') => (LessEqual, 2),
        (b'<', _) => (Less, 1),
        (b'>', b'=') => (GreaterEqual, 2),
        (b'>', _) => (Greater, 1),
        (b'=', b'=') => (Equal, 2),
        (b'=', _) => (Equal, 1),
        (b'&', b'&') => (AndSite, 2),
        (b'|', b'|') => (OrSite, 2),
        (b'&', _) => (And, 1),
        (b'|', _) => (Or, 1),
        (b'+', _) => (Add, 1),
        (b'-', _) => (Subtract, 1),
        (b'*', _) => (Multiply, 1),
        (b'/', _) => (Divide, 1),
        (b'~', _) => (Like, 1),
        (b'%', _) => (Remainder, 1),
        _ => return None,
    };
    Some((TokenKind::Operator(operator), length))
}

/// A function's name before its `(`; `%MAX`, `%MIN`, `%AVG` and `%SUM` are old ways to write it.
fn function(rest: &[u8]) -> Option<(Function, usize)> {
    let old = usize::from(rest[0] == b'%');
    let name = &rest[old..];
    let length = name.iter().position(|b| !b.is_ascii_alphabetic() && *b != b'_')?;
    if length == 0 || name[length] != b'(' {
        return None;
    }
    let function = Function::parse(&name[..length])?;
    let is_old = matches!(name[..length].to_ascii_uppercase().as_slice(), b"MAX" | b"MIN" | b"AVG" | b"SUM");
    (old == 0 || is_old).then_some((function, old + length))
}

/// A name with the `/` of its prefix and its subscript.
fn name_length(rest: &[u8]) -> usize {
    let mut at = 0;
    for prefix in [&b"INFO/"[..], b"FORMAT/", b"FMT/"] {
        if starts_with(&rest[at..], prefix) {
            at += prefix.len();
        }
    }
    let mut is_within = false;
    while let Some(&b) = rest.get(at) {
        let is_end = b.is_ascii_whitespace() || b"\"'<>=!&|()+*-/~%".contains(&b);
        if is_end && !is_within {
            break;
        }
        if b == b']' {
            return at + usize::from(is_within);
        }
        is_within |= b == b'[';
        at += 1;
    }
    at
}
