//! Proves that what must not compile does not: sealed values cannot be copied, printed, serialised or read.

#[test]
fn sealed_values_cannot_be_copied_printed_serialised_or_read() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/cases/*.rs");
}
