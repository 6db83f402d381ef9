"""``send-test``: hand one sample message to a door and explain what its answer proves.

From any host it shows that strangers are turned away. By way of a listed proxy, as if from one of Meta's
hosts, it shows what becomes of mail that only claims to be Meta's: nobody but Meta can sign as Meta, so a
*genuine* pass is seen only where the door's name servers hold the sample's key, as those of a test may.
"""
