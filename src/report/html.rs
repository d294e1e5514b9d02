//! Pages that need nothing but themselves: markup, tables, badges, and the skeleton with its style and script.
//!
//! A page reads nothing from anywhere: its content security policy allows the one style and the one script that stand in
//! it, by their hashes, and nothing else. It is complete without the script, which only searches and shows values under
//! the pointer. Elements are closed as in XML, and what is not a literal of this program is escaped.

/// The page's style.
const STYLE: &str = include_str!("page.css");
/// Its hash (`openssl dgst -sha256 -binary page.css | base64`).
const STYLE_HASH: &str = "sha256-fcJEAAllF8RMJtZoo/rkU0qYDatJNMJPQZKL7N5nMTA=";
/// The page's script.
const SCRIPT: &str = include_str!("page.js");
/// Its hash.
const SCRIPT_HASH: &str = "sha256-6KOgRuGl3zq+d+BVmcd6xO4y+qpBrSnmgHQ9Z7/0AmI=";

/// Attributes of an element.
pub type Attributes<'a> = &'a [(&'static str, &'a str)];

/// Markup in the making. Elements that are opened are closed; text and attributes are escaped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Markup(String);

impl Markup {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only text.
    pub fn of(text: &str) -> Self {
        let mut markup = Self::new();
        markup.text(text);
        markup
    }

    /// Adds text.
    pub fn text(&mut self, text: &str) {
        escape_into(text, &mut self.0);
    }

    /// Adds other markup.
    pub fn append(&mut self, other: &Markup) {
        self.0 += &other.0;
    }

    /// Adds an element with what `content` puts into it.
    pub fn element(
        &mut self,
        name: &'static str,
        attributes: Attributes<'_>,
        content: impl FnOnce(&mut Markup),
    ) {
        self.open(name, attributes, ">");
        content(self);
        self.0 += "</";
        self.0 += name;
        self.0.push('>');
    }

    /// Adds an element that holds only text.
    pub fn leaf(&mut self, name: &'static str, attributes: Attributes<'_>, text: &str) {
        self.element(name, attributes, |m| m.text(text));
    }

    /// Adds an element that holds nothing.
    pub fn empty(&mut self, name: &'static str, attributes: Attributes<'_>) {
        self.open(name, attributes, "/>");
    }

    /// Adds a line's end, for those who read the source.
    pub fn newline(&mut self) {
        self.0.push('\n');
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The markup.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn open(&mut self, name: &'static str, attributes: Attributes<'_>, end: &str) {
        self.0.push('<');
        self.0 += name;
        for (key, value) in attributes {
            self.0.push(' ');
            self.0 += key;
            self.0 += "=\"";
            escape_into(value, &mut self.0);
            self.0.push('"');
        }
        self.0 += end;
    }
}

/// Text as it may stand in markup, between tags and in attributes. Control characters, and those that turn the direction
/// of the text around them, become U+FFFD.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    escape_into(text, &mut escaped);
    escaped
}

fn escape_into(text: &str, to: &mut String) {
    for c in text.chars() {
        match c {
            '&' => to.push_str("&amp;"),
            '<' => to.push_str("&lt;"),
            '>' => to.push_str("&gt;"),
            '"' => to.push_str("&quot;"),
            '\'' => to.push_str("&#39;"),
            '\n' | '\t' => to.push(c),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}' => {
                to.push('\u{fffd}')
            }
            c if c.is_control() => to.push('\u{fffd}'),
            c => to.push(c),
        }
    }
}

/// How good something is, beyond its word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Good: a tick in a disc.
    Good,
    /// To be looked at: an exclamation mark in a triangle.
    Caution,
    /// Bad: a cross in an octagon.
    Bad,
    /// Neither.
    Plain,
}

impl Tone {
    /// The class in the style.
    pub fn class(self) -> &'static str {
        match self {
            Tone::Good => "good",
            Tone::Caution => "caution",
            Tone::Bad => "bad",
            Tone::Plain => "plain",
        }
    }

    /// Outline and sign in a square of 16, so that the shape says what the colour says.
    fn icon(self) -> Option<(&'static str, &'static str)> {
        match self {
            Tone::Good => Some(("M8 .5a7.5 7.5 0 1 1 0 15a7.5 7.5 0 1 1 0-15z", "M4.4 8.3l2.5 2.5l4.8-5.4")),
            Tone::Caution => Some(("M8 .8l7.6 14H.4z", "M8 5.6v4.6M8 12v1.5")),
            Tone::Bad => Some(("M4.9.5h6.2l4.4 4.4v6.2l-4.4 4.4H4.9L.5 11.1V4.9z", "M5 5l6 6M11 5l-6 6")),
            Tone::Plain => None,
        }
    }
}

/// A word in a coloured field with the sign of its tone.
pub fn badge(markup: &mut Markup, tone: Tone, word: &str) {
    let class = format!("badge {}", tone.class());
    markup.element("span", &[("class", &class)], |m| {
        icon(m, tone, &[("aria-hidden", "true")]);
        m.text(word);
    });
}

/// The sign of a tone alone; the word is for those who do not see it or point at it.
pub fn sign(markup: &mut Markup, tone: Tone, word: &str) {
    let class = format!("badge sign-only {}", tone.class());
    markup.element("span", &[("class", &class), ("title", word)], |m| {
        icon(m, tone, &[("role", "img"), ("aria-label", word)]);
    });
}

fn icon(m: &mut Markup, tone: Tone, meaning: Attributes<'_>) {
    let Some((outline, sign)) = tone.icon() else { return };
    m.element("svg", &[&[("viewBox", "0 0 16 16")], meaning].concat(), |m| {
        m.empty("path", &[("class", "outline"), ("d", outline)]);
        m.empty("path", &[("class", "sign"), ("d", sign)]);
    });
}

/// A column of a table.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its head.
    pub name: &'static str,
    /// Whether it holds numbers, which stand at its right side.
    pub is_number: bool,
}

/// A column of words.
pub const fn words(name: &'static str) -> Column {
    Column { name, is_number: false }
}

/// A column of numbers.
pub const fn numbers(name: &'static str) -> Column {
    Column { name, is_number: true }
}

/// A table's head.
pub fn table_head(markup: &mut Markup, columns: &[Column]) {
    markup.element("thead", &[], |m| {
        m.element("tr", &[], |m| {
            for column in columns {
                let class = if column.is_number { "number" } else { "words" };
                m.leaf("th", &[("scope", "col"), ("class", class)], column.name);
            }
        });
    });
}

/// A row of a table; the cell `head` is what the row is of.
pub fn table_row(
    markup: &mut Markup,
    attributes: Attributes<'_>,
    columns: &[Column],
    head: usize,
    cells: &[Markup],
) {
    markup.element("tr", attributes, |m| {
        for (i, (column, cell)) in columns.iter().zip(cells).enumerate() {
            let class = if column.is_number { "number" } else { "words" };
            if i == head {
                m.element("th", &[("scope", "row"), ("class", class)], |m| m.append(cell));
            } else {
                m.element("td", &[("class", class)], |m| m.append(cell));
            }
        }
    });
    markup.newline();
}

/// A table of rows whose first cell says what they are of.
pub fn table(markup: &mut Markup, caption: &str, columns: &[Column], rows: &[Vec<Markup>]) {
    markup.element("div", &[("class", "scroll")], |m| {
        m.element("table", &[], |m| {
            m.leaf("caption", &[], caption);
            table_head(m, columns);
            m.element("tbody", &[], |m| rows.iter().for_each(|row| table_row(m, &[], columns, 0, row)));
        });
    });
}

/// A part of the page under its title; links find it by `id`.
pub fn section(markup: &mut Markup, id: &str, title: &str, write: impl FnOnce(&mut Markup)) {
    markup.element("section", &[("id", id)], |m| {
        m.leaf("h2", &[], title);
        write(m);
    });
    markup.newline();
}

/// The whole page.
pub fn page(title: &str, body: &Markup) -> String {
    let policy = format!(
        "default-src 'none'; style-src '{STYLE_HASH}'; script-src '{SCRIPT_HASH}'; base-uri 'none'; form-action 'none'"
    );
    let mut head = Markup::new();
    head.empty("meta", &[("charset", "utf-8")]);
    head.newline();
    head.empty("meta", &[("http-equiv", "Content-Security-Policy"), ("content", &policy)]);
    head.newline();
    head.empty("meta", &[("name", "viewport"), ("content", "width=device-width, initial-scale=1")]);
    head.newline();
    head.empty("meta", &[("name", "color-scheme"), ("content", "light dark")]);
    head.newline();
    head.leaf("title", &[], title);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n{}\n<style>{STYLE}</style>\n</head>\n<body>\n{}\
         <script>{SCRIPT}</script>\n</body>\n</html>\n",
        head.0, body.0
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::process::{Command, Stdio};

    #[test]
    fn what_means_something_in_markup_is_escaped() {
        for (text, escaped) in [
            ("NA12878", "NA12878"),
            ("<script>", "&lt;script&gt;"),
            ("a & b", "a &amp; b"),
            ("\"onload='x'", "&quot;onload=&#39;x&#39;"),
            ("&lt;", "&amp;lt;"),
            ("a\0b\u{1b}[31m", "a\u{fffd}b\u{fffd}[31m"),
            ("ab\u{202e}lmth", "ab\u{fffd}lmth"),
            ("Åse, 5′→3′", "Åse, 5′→3′"),
        ] {
            assert_eq!(escape(text), escaped);
            let mut markup = Markup::new();
            markup.element("p", &[("title", text)], |m| m.text(text));
            assert_eq!(markup.as_str(), format!("<p title=\"{escaped}\">{escaped}</p>"));
        }
    }

    #[test]
    fn elements_are_closed() {
        let mut markup = Markup::new();
        table(&mut markup, "c", &[words("a"), numbers("b")], &[vec![Markup::of("x"), Markup::of("1")]]);
        let expected = "<div class=\"scroll\"><table><caption>c</caption><thead><tr>\
            <th scope=\"col\" class=\"words\">a</th><th scope=\"col\" class=\"number\">b</th></tr></thead><tbody><tr>\
            <th scope=\"row\" class=\"words\">x</th><td class=\"number\">1</td></tr>\n</tbody></table></div>";
        assert_eq!(markup.as_str(), expected);
    }

    /// The hash of a text as sha256sum says, in the form of a content security policy.
    fn hash(text: &str) -> Option<String> {
        let mut child =
            Command::new("sha256sum").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
        child.stdin.take()?.write_all(text.as_bytes()).ok()?;
        let output = String::from_utf8(child.wait_with_output().ok()?.stdout).ok()?;
        let bytes: Vec<u8> =
            (0..64).step_by(2).map(|i| u8::from_str_radix(&output[i..i + 2], 16).unwrap()).collect();
        const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut base64 = String::from("sha256-");
        for three in bytes.chunks(3) {
            let bits =
                three.iter().fold(0u32, |bits, &byte| bits << 8 | u32::from(byte)) << (8 * (3 - three.len()));
            for i in 0..=three.len() {
                base64.push(char::from(DIGITS[(bits >> (18 - 6 * i)) as usize & 63]));
            }
        }
        base64 += &"=".repeat((3 - bytes.len() % 3) % 3);
        Some(base64)
    }

    #[test]
    fn the_policy_allows_the_style_and_the_script_that_are_there() {
        // The hash of nothing, as RFC 6234's implementations give it.
        let Some(of_nothing) = hash("") else {
            eprintln!("skipped: sha256sum is not installed");
            return;
        };
        assert_eq!(of_nothing, "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
        for (text, allowed) in [(STYLE, STYLE_HASH), (SCRIPT, SCRIPT_HASH)] {
            assert_eq!(hash(text).as_deref(), Some(allowed));
            assert!(!text.contains("</"), "a tag would end it early");
        }
    }
}
