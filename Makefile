# norn: `make demo` shows it at work, `make test` runs every test. Both install what they need as root on Debian 12.
.PHONY: demo test lint bench testdata

demo:
	.ci/setup.sh demo
	cargo build --release
	target/release/norn qc -r testdata/genome.fa --by 500 --sites testdata/sites.vcf.gz \
	  --thresholds examples/thresholds.demo.toml -o target/demo testdata/child.bam
	@echo "The results are in target/demo; all figures in one file: target/demo/child.qc.json"
	@echo "The page to look at: file://$(CURDIR)/target/demo/child.qc.html"

test:
	.ci/setup.sh test
	cargo fmt --check
	cargo clippy --profile quick --all-targets -- -D warnings
	cargo test --profile quick
	NORN_MPI=1 cargo test --profile quick --features mpi --test communicator --test parts --test ranks --test batch

lint:
	cargo fmt --check
	cargo clippy --release --all-targets --all-features -- -D warnings

bench:
	cargo build --release
	benches/compare.sh
	cargo bench --bench kernels --bench variants

testdata:
	testdata/make-testdata.py
	testdata/make-panel.py
