process NORN_PRSSCORE {
    tag "${meta.id}"
    label 'process_high'

    conda "${moduleDir}/environment.yml"
    container 'norn:0.1.0'

    input:
    tuple val(meta), path(genotypes), path(companions)
    path scores

    output:
    tuple val(meta), path("*/aggregated_scores.txt.gz"), emit: scores
    tuple val(meta), path("*/*_log.csv.gz"), emit: log
    tuple val(meta), path("*/*_summary.csv"), emit: summary
    tuple val(meta), path("*/scores.run.json"), emit: run
    tuple val("${task.process}"), val('norn'), eval("norn --version | sed 's/norn //'"), topic: versions, emit: versions_norn

    when:
    task.ext.when == null || task.ext.when

    script:
    def args = task.ext.args ?: '--build GRCh38'
    def prefix = task.ext.prefix ?: "${meta.id}"
    """
    # Exit code 4: some scores match too little; the messages tell which.
    norn prs score \\
        --threads ${task.cpus} \\
        --genotypes ${genotypes} \\
        --scores ${scores} \\
        ${args} \\
        --output ${prefix} || [ \$? -eq 4 ]
    """

    stub:
    def prefix = task.ext.prefix ?: "${meta.id}"
    """
    mkdir ${prefix}
    echo '' | gzip > ${prefix}/aggregated_scores.txt.gz
    echo '' | gzip > ${prefix}/${prefix}_log.csv.gz
    touch ${prefix}/${prefix}_summary.csv ${prefix}/scores.run.json
    """
}
