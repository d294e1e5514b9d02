//! From tokens to reverse Polish order, by Dijkstra's shunting yard as bcftools runs it.
//!
//! Two of its habits are kept because they change results: operators of one precedence bind from the right, so that
//! `10-5-2` is 7, and a minus behind `BINOM(..)` or `FISHER(..)` negates what follows.

use super::error::{ExpressionError, Problem};
use super::function::Function;
use super::lexer::{Lexer, Operator, TokenKind};
use super::operand::Operand;
use crate::formats::vcf::header::Header;

/// Something in reverse Polish order.
#[derive(Debug)]
pub struct Item {
    /// What it is.
    pub kind: ItemKind,
    /// Its first byte in the text.
    pub at: usize,
}

/// What it is.
#[derive(Debug)]
pub enum ItemKind {
    /// A value.
    Operand(Box<Operand>),
    /// Between two values.
    Operator(Operator),
    /// Of so many values.
    Function(Function, usize),
}

/// What waits for its operands.
#[derive(Clone, Copy)]
enum Waiting {
    Open,
    Operator(Operator),
    Function(Function),
}

impl Waiting {
    fn precedence(self) -> u8 {
        match self {
            Self::Open => 1,
            Self::Operator(operator) => operator.precedence(),
            Self::Function(_) => 8,
        }
    }
}

/// Reads a whole expression.
///
/// # Errors
/// It cannot be read, or names what the header does not have.
pub fn parse(text: &str, header: &Header) -> Result<Vec<Item>, ExpressionError> {
    Parser { text, header, waiting: Vec::new(), out: Vec::new() }.run()
}

struct Parser<'p> {
    text: &'p str,
    header: &'p Header,
    waiting: Vec<(Waiting, usize)>,
    out: Vec<Item>,
}

impl Parser<'_> {
    fn run(mut self) -> Result<Vec<Item>, ExpressionError> {
        let mut lexer = Lexer::new(self.text);
        // A minus is a sign unless it stands behind a value or a closing bracket.
        let mut is_behind_value = false;
        while let Some(token) = lexer.next()? {
            match token.kind {
                TokenKind::Open => self.waiting.push((Waiting::Open, token.from)),
                TokenKind::Close => self.close(token.from)?,
                TokenKind::Operator(Operator::Subtract) if !is_behind_value => {
                    let minus = ItemKind::Operand(Box::new(Operand::number(-1.0)));
                    self.out.push(Item { kind: minus, at: token.from });
                    self.waiting.push((Waiting::Operator(Operator::Multiply), token.from));
                }
                TokenKind::Operator(operator) => self.operator(Waiting::Operator(operator), token.from),
                TokenKind::Function(function) if function.takes_list() => {
                    lexer.at = self.list(function, token.from, token.to)?;
                    continue;
                }
                TokenKind::Function(function @ (Function::PassCount | Function::PassFraction)) => {
                    self.waiting.push((Waiting::Function(function), token.from));
                    continue;
                }
                TokenKind::Function(function) => self.operator(Waiting::Function(function), token.from),
                TokenKind::Value => self.operand(token.from, token.to)?,
            }
            is_behind_value = matches!(token.kind, TokenKind::Value | TokenKind::Close);
        }
        while let Some((waiting, at)) = self.waiting.pop() {
            self.give(waiting, at)?;
        }
        if self.out.is_empty() { Err(self.failed(0, Problem::Empty)) } else { Ok(self.out) }
    }

    fn failed(&self, at: usize, problem: Problem) -> ExpressionError {
        ExpressionError::new(self.text, at, problem)
    }

    fn operator(&mut self, operator: Waiting, at: usize) {
        while let Some(&(waiting, place)) = self.waiting.last()
            && operator.precedence() < waiting.precedence()
        {
            self.waiting.pop();
            // Brackets bind most loosely, so none is given here.
            let _ = self.give(waiting, place);
        }
        self.waiting.push((operator, at));
    }

    fn close(&mut self, at: usize) -> Result<(), ExpressionError> {
        while let Some((waiting, place)) = self.waiting.pop() {
            if matches!(waiting, Waiting::Open) {
                return Ok(());
            }
            self.give(waiting, place)?;
        }
        Err(self.failed(at, Problem::Brackets))
    }

    fn give(&mut self, waiting: Waiting, at: usize) -> Result<(), ExpressionError> {
        let kind = match waiting {
            Waiting::Open => return Err(self.failed(at, Problem::Brackets)),
            Waiting::Operator(operator) => ItemKind::Operator(operator),
            Waiting::Function(function) => ItemKind::Function(function, 1),
        };
        self.out.push(Item { kind, at });
        Ok(())
    }

    fn operand(&mut self, from: usize, to: usize) -> Result<(), ExpressionError> {
        let token = &self.text[from..to];
        let token = if token.len() > 1 { token.strip_suffix(',').unwrap_or(token) } else { token };
        let operand = Operand::parse(token, self.header).map_err(|problem| self.failed(from, problem))?;
        self.out.push(Item { kind: ItemKind::Operand(Box::new(operand)), at: from });
        Ok(())
    }

    /// The tags between the brackets behind a function's name, which ends at `open`; gives where they end.
    fn list(&mut self, function: Function, at: usize, open: usize) -> Result<usize, ExpressionError> {
        let from = open + 1;
        let inner = &self.text[from..];
        let end = inner.find(')').ok_or_else(|| self.failed(at, Problem::Brackets))?;
        let (mut begin, mut depth, mut count) = (from, 0usize, 0);
        for (place, c) in inner[..end].char_indices().chain([(end, ',')]) {
            match c {
                '[' | '(' => depth += 1,
                ']' => depth = depth.saturating_sub(1),
                ',' if depth == 0 || place == end => {
                    let part = &self.text[begin..from + place];
                    let skipped = part.len() - part.trim_start().len();
                    let part_end = begin + part.trim_end().len().max(skipped);
                    if begin + skipped == part_end {
                        return Err(self.failed(at, Problem::Operand(function.name())));
                    }
                    self.operand(begin + skipped, part_end)?;
                    begin = from + place + 1;
                    count += 1;
                }
                _ => {}
            }
        }
        if count > 2 {
            let what = format!("{} takes one or two tags", function.name());
            return Err(self.failed(at, Problem::Types(what)));
        }
        self.out.push(Item { kind: ItemKind::Function(function, count), at });
        Ok(from + end + 1)
    }
}
