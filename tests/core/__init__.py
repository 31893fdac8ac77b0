"""The pure core: rules, money, markers."""
