process NORN_DBGENES {
    tag "${meta.id}"
    label 'process_single'

    conda "${moduleDir}/environment.yml"
    container 'norn:0.1.0'

    input:
    tuple val(meta), path(gff)
    tuple val(meta2), path(fasta), path(fai)

    output:
    tuple val(meta), path("*.ndb"), emit: genes
    tuple val("${task.process}"), val('norn'), eval("norn --version | sed 's/norn //'"), topic: versions, emit: versions_norn

    when:
    task.ext.when == null || task.ext.when

    script:
    def args = task.ext.args ?: ''
    def prefix = task.ext.prefix ?: "${meta.id}"
    """
    norn db genes \\
        --gff ${gff} \\
        --reference ${fasta} \\
        ${args} \\
        --output ${prefix}.ndb
    """

    stub:
    def prefix = task.ext.prefix ?: "${meta.id}"
    """
    touch ${prefix}.ndb
    """
}
