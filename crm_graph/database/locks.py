"""The keys of PostgreSQL's advisory locks, so that no two purposes share one.

Locks with two keys are in a space of their own: the first is the purpose, the second says of what.
"""

MIGRATION = 0x63726D67  # "crmg"; one key: one migration at a time on a database
COLUMN = 1_668_443_501  # and a stage's hash: the order of deals in its column; taken by crm_lock_column() alone
CONFIGURATION = 1_668_443_502  # and 0: one change of pipelines, stages or owners at a time
