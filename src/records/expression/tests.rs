//! Expressions on hand-made records. What bcftools makes of the same language is compared in tests/expressions.rs.

use proptest::prelude::*;

use super::*;

const HEADER: &str = "##fileformat=VCFv4.2\n\
    ##FILTER=<ID=q10,Description=\"\">\n\
    ##INFO=<ID=DP,Number=1,Type=Integer,Description=\"\">\n\
    ##INFO=<ID=AC,Number=A,Type=Integer,Description=\"\">\n\
    ##INFO=<ID=DB,Number=0,Type=Flag,Description=\"\">\n\
    ##INFO=<ID=S,Number=.,Type=String,Description=\"\">\n\
    ##FORMAT=<ID=GT,Number=1,Type=String,Description=\"\">\n\
    ##FORMAT=<ID=AD,Number=R,Type=Integer,Description=\"\">\n\
    ##FORMAT=<ID=GQ,Number=1,Type=Integer,Description=\"\">\n\
    #CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ta\tb\n";
const LINE: &str = "1\t9\trs1\tA\tC,G\t50\tPASS\tDP=9;AC=1,1;DB;S=x,y\tGT:AD:GQ\t0/1:5,6:20\t1/2:0,3,4:.";

fn header() -> Header {
    Header::parse(HEADER.as_bytes()).unwrap()
}

#[test]
fn sites_and_samples_pass_as_the_manual_says() {
    // By hand, from the manual's section on expressions.
    let record = Record::parse(LINE.as_bytes()).unwrap();
    for (text, site, samples) in [
        ("DP=9", true, None),
        ("DP<9 || QUAL>30", true, None),
        ("DP<9 && QUAL>30", false, None),
        ("DB=1 & S=\"y\"", true, None),
        ("FMT/GQ>10", true, Some([true, false])),
        ("GT=\"het\"", true, Some([true, true])),
        ("GT=\"aA\"", true, Some([false, true])),
        ("GQ>10 & GT=\"aA\"", false, Some([false, false])),
        ("GQ>10 && GT=\"aA\"", true, Some([true, true])),
        ("QUAL>90 || GQ>10", true, Some([true, false])),
        ("QUAL>10 || GQ>90", true, Some([true, true])),
        ("QUAL>10 | GQ>90", true, Some([false, false])),
        ("GQ=\".\"", true, Some([false, true])),
        ("AD[GT]>5", true, Some([true, false])),
        ("sSUM(AD)=11", true, Some([true, false])),
        ("MAX(AD)=6", true, None),
        ("N_PASS(AD[:0]=0)=1", true, None),
        ("COUNT(GT=\"het\")=2", true, None),
        ("GQ[1]=\".\"", true, Some([false, true])),
        ("10-5-2=7", true, None),
        ("-1*DP=-9", true, None),
        ("N_ALT=2 & TYPE=\"snp\" & ILEN=0 & POS=9", true, None),
    ] {
        let expression = Expression::compile(text, &header()).unwrap();
        let mut scratch = Scratch::default();
        let verdict = expression.test(&record, &mut scratch).unwrap();
        assert_eq!((verdict.site, verdict.samples), (site, samples.as_ref().map(|s| &s[..])), "{text}");
        assert_eq!(expression.passes(&record, &mut Scratch::default()).unwrap(), site, "{text}");
    }
}

#[test]
fn errors_tell_the_place() {
    for (text, column, problem) in [
        ("", 1, "empty"),
        ("DP=9 && XX>1", 9, "\"XX\" is not declared"),
        ("INFO/GQ>1", 1, "no INFO tag GQ"),
        ("perl.f(DP)", 1, "perl"),
        ("DP>{}", 4, "from outside"),
        ("(DP>1", 1, "brackets"),
        ("DP>1)", 5, "brackets"),
        ("DP>", 3, "lacks an operand"),
        ("DP 5", 4, "operator is missing"),
        ("S=\"a", 3, "quote"),
        ("S>5", 2, "compared with a number"),
        ("GT=5", 3, "GT is compared"),
        ("FILTER=\"nope\"", 7, "filter \"nope\""),
        ("TYPE=\"nope\"", 5, "type of variant"),
        ("S~\"[a\"", 2, "regular expression"),
        ("AC[x]>1", 1, "no list of numbers"),
        ("AD[0]>1", 1, "ambiguous"),
        ("AD[7:0]>1", 1, "larger than the number of samples"),
        ("ID=@/no/such/file", 4, "cannot read"),
        ("N_PASS(DP>1)>1", 1, "FORMAT"),
        ("MAX(S)>1", 1, "numbers"),
    ] {
        let error = Expression::compile(text, &header()).unwrap_err();
        assert_eq!(error.column, column, "{text}: {error}");
        assert!(error.to_string().contains(problem), "{text}: {error}");
    }
}

#[test]
fn the_tree_names_scopes_and_types() {
    let tree = Expression::compile("FMT/GQ>10 && DP<5", &header()).unwrap().explain();
    let expected = "&&  [samples]\n  <  [site]\n    INFO/DP, integer  [site]\n    5  [site]\n  >  [samples]\n    \
                    FORMAT/GQ, value 0, integers  [samples]\n    10  [site]\n";
    assert_eq!(tree, expected);
}

#[test]
fn threads_can_share_an_expression() {
    fn is_shared<T: Send + Sync>() {}
    is_shared::<Expression>();
}

proptest! {
    #[test]
    fn any_text_is_compiled_or_refused(text in "[ -~]{0,40}") {
        let _ = Expression::compile(&text, &header());
    }

    #[test]
    fn what_compiles_can_be_tested_on_any_record(
        words in proptest::collection::vec(proptest::sample::select(vec![
            "DP", "AC", "AC[1]", "S", "S[1]", "DB", "GT", "AD", "AD[GT]", "AD[0:1]", "AD[:1-]", "GQ", "QUAL", "ID", "FILTER",
            "TYPE", "ALT", "ALT[1]", "ILEN", "AN", "MAF", "F_MISSING", "POS", "5", "0", "\".\"", "\"x\"", "\"het\"", "\"PASS\"",
            "\"snp\"", "=", "!=", "<", ">", "~", "!~", "&", "&&", "|", "||", "+", "-", "*", "/", "%", "(", ")", "MAX(", "sSUM(",
            "COUNT(", "N_PASS(", "ABS(", "STRLEN(", "binom(AD)", "fisher(AD,AD)", "PHRED(",
        ]), 1..9),
        columns in proptest::collection::vec("[0-9A-Za-z.,;:/|=<>]{0,14}", 10), keeps_samples in any::<bool>(),
    ) {
        let text = words.join(" ");
        let Ok(expression) = Expression::compile(&text, &header()) else { return Ok(()) };
        let mut columns = columns;
        columns.insert(1, "7".into());
        columns[8] = "GT:AD:GQ".into();
        if !keeps_samples {
            columns.truncate(8);
        }
        let record = Record::parse(columns.join("\t").as_bytes()).unwrap();
        let mut scratch = Scratch::default();
        let whole = expression.test(&record, &mut scratch).map(|verdict| verdict.site);
        let site = expression.passes(&record, &mut scratch);
        // The site's verdict is the same where samples are not asked for; it may come before an error.
        if let (Ok(whole), Ok(site)) = (whole, site) {
            prop_assert_eq!(whole, site, "{}", text);
        }
    }
}
