"""How each verb of handing over cups is done, one file a verb."""
